package retrypolicy

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_EndsWithTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &flaky{}
		got, err := BrokenCount(t.Context(), dial(t, &service.Server{OnCount: server.Count}), 3)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, "the server restarts", status.Convert(err).Message())
		require.Equal(t, []int64{1, 2}, got)
		require.Equal(t, int64(1), server.attempts.Load())
	})
}

func TestFixed_ContinuesAfterTheLastNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &flaky{}
		got, err := FixedCount(t.Context(), dial(t, &service.Server{OnCount: server.Count}), 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, int64(3), server.attempts.Load())
	})
}

// The server fails twice, and each time calls before first.
func TestPolicy_RetriesUntilTheFirstHeaders(t *testing.T) {
	header := metadata.Pairs("version", "1")
	for _, tt := range []struct {
		name     string
		before   func(grpc.ServerStream) error
		attempts int
	}{
		{"nothing", func(grpc.ServerStream) error { return nil }, 3},
		{"trailers", func(s grpc.ServerStream) error { s.SetTrailer(header); return nil }, 3},
		{"headers", func(s grpc.ServerStream) error { return s.SendHeader(nil) }, 1},
		{"headers, with the status", func(s grpc.ServerStream) error { return s.SetHeader(header) }, 1},
		{"a message", func(s grpc.ServerStream) error { return s.SendMsg(&pitfallsv1.Number{}) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				client := dial(t, &service.Server{OnCount: func(
					_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
				) error {
					attempts++
					if err := tt.before(stream); err != nil || attempts == 3 {
						return err
					}
					return errRestart
				}})

				_, err := BrokenCount(t.Context(), client, 1)

				require.Equal(t, tt.attempts == 3, err == nil, "got %v", err)
				require.Equal(t, tt.attempts, attempts)
			})
		})
	}
}

func TestPolicy_RetriesIfAtMost256KiBWereSent(t *testing.T) {
	for _, tt := range []struct{ kib, attempts int }{{250, 3}, {260, 1}} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := dial(t, &service.Server{OnSum: func(
				stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
			) error {
				attempts++
				for {
					if _, err := stream.Recv(); errors.Is(err, io.EOF) {
						return errRestart
					} else if err != nil {
						return err
					}
				}
			}})
			stream, err := client.Sum(t.Context())
			require.NoError(t, err)
			for range tt.kib / 10 {
				require.NoError(t, stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)}))
			}

			_, err = stream.CloseAndRecv()

			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, tt.attempts, attempts, "with %d KiB", tt.kib)
		})
	}
}

func dial(t *testing.T, s *service.Server) pitfallsv1.PitfallServiceClient {
	return pitfallsv1.NewPitfallServiceClient(pitfalltest.Serve(t, s).Dial(t, policy))
}

// policy retries the calls of every method.
var policy = grpc.WithDefaultServiceConfig(`{"methodConfig": [{
	"name": [{}],
	"retryPolicy": {
		"maxAttempts": 3,
		"initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`)

var errRestart = status.Error(codes.Unavailable, "the server restarts")

// A flaky server ends each of the first two streams after two numbers.
type flaky struct{ attempts atomic.Int64 }

func (f *flaky) Count(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	attempt := f.attempts.Add(1)
	for i := range req.GetTo() {
		if i == 2 && attempt < 3 {
			return errRestart
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}
