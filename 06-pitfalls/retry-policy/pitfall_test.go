package retrypolicy

import (
	"context"
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
		attempts := 0
		got, err := BrokenCount(t.Context(), pitfalltest.Dial(t, flaky(&attempts), policy), 3)

		require.EqualError(t, err, "rpc error: code = Unavailable desc = the server restarts")
		require.Equal(t, []int64{1, 2}, got)
		require.Equal(t, 1, attempts)
	})
}

func TestFixed_ContinuesAfterTheLastNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		got, err := FixedCount(t.Context(), pitfalltest.Dial(t, flaky(&attempts), policy), 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 3, attempts)
	})
}

// The server fails the first two attempts. In each attempt it calls before
// first.
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
				client := pitfalltest.Dial(t, &service.Server{OnCount: func(
					_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
				) error {
					attempts++
					if err := tt.before(stream); err != nil || attempts == 3 {
						return err
					}
					return errRestart
				}}, policy)

				_, err := BrokenCount(t.Context(), client, 1)

				require.Equal(t, tt.attempts == 3, err == nil, "got %v", err)
				require.Equal(t, tt.attempts, attempts)
			})
		})
	}
}

func TestPolicy_RetriesAUnaryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		server := pitfalltest.Serve(t, &service.Server{}, grpc.UnaryInterceptor(
			func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				if attempts++; attempts < 3 {
					return nil, errRestart
				}
				return handler(ctx, req)
			}))
		client := pitfallsv1.NewPitfallServiceClient(server.Dial(t, policy))
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err)
		require.Equal(t, 3, attempts)
	})
}

func TestPolicy_MultipliesTheAttemptsOfFixedCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		_, err := FixedCount(t.Context(), pitfalltest.Dial(t, &service.Server{OnCount: func(
			*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number],
		) error {
			attempts++
			return errRestart
		}}, policy), 3)
		require.EqualError(t, err, "max retries exhausted: failed after 3 attempts: "+errRestart.Error())
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, 9, attempts)
	})
}

func TestPolicy_RetriesIfAtMost256KiBWereSent(t *testing.T) {
	// 9 bytes precede the padding: 5 of gRPC, and 4 of the field.
	for _, tt := range []struct{ padding, attempts int }{{256<<10 - 9, 3}, {256<<10 - 8, 1}} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := pitfalltest.Dial(t, &service.Server{OnSum: func(
				stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
			) error {
				attempts++
				for {
					if _, err := stream.Recv(); err != nil {
						return errRestart // the client has sent everything
					}
				}
			}}, policy)
			stream, err := client.Sum(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Padding: make([]byte, tt.padding)}))

			_, err = stream.CloseAndRecv()

			require.ErrorIs(t, err, errRestart)
			require.Equal(t, tt.attempts, attempts, "with a padding of %d bytes", tt.padding)
		})
	}
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

// flaky returns a server that ends each of the first two streams after two
// numbers, and counts the streams.
func flaky(attempts *int) *service.Server {
	return &service.Server{OnCount: func(
		req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	) error {
		*attempts++
		for i := range req.GetTo() {
			if i == 2 && *attempts < 3 {
				return errRestart
			}
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				return err
			}
		}
		return nil
	}}
}
