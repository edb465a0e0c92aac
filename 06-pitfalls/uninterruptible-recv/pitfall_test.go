package uninterruptiblerecv

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// limit is how long a handler may run.
const limit = time.Minute

func TestBroken_OutlivesItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := dial(t, BrokenEcho)
		stream := echoOne(ctx, t, client)
		call := pitfalltest.Go(func() error { _, err := stream.Recv(); return err })

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixed_EndsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		client := dial(t, FixedEcho)

		_, err := echoOne(ctx, t, client).Recv()

		require.Equal(t, limit, time.Since(start))
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestBoth_EndWhenTheClientKeepsSending(t *testing.T) {
	for _, echo := range []echo{BrokenEcho, FixedEcho} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			stream := echoOne(t.Context(), t, dial(t, echo))
			var err error
			for err == nil {
				time.Sleep(time.Second)
				err = stream.Send(&pitfallsv1.Number{})
			}
			require.Less(t, time.Since(start), 2*limit)
			_, err = service.Values(stream)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		})
	}
}

func TestBoth_ReturnOKAfterTheHalfClose(t *testing.T) {
	for _, echo := range []echo{BrokenEcho, FixedEcho} {
		synctest.Test(t, func(t *testing.T) {
			stream := echoOne(t.Context(), t, dial(t, echo))
			require.NoError(t, stream.CloseSend())
			_, err := stream.Recv()
			require.Equal(t, io.EOF, err)
		})
	}
}

type echo = func(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], time.Duration) error

func dial(t *testing.T, echo echo) pitfallsv1.PitfallServiceClient {
	return pitfalltest.Dial(t, echoing(echo))
}

// echoing is a server whose Echo calls echo with the limit.
func echoing(echo echo) *service.Server {
	return &service.Server{
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			return echo(stream, limit)
		},
	}
}

// echoOne opens a stream, sends a number, and receives it. Then the handler
// waits in Recv.
func echoOne(
	ctx context.Context, t *testing.T, c pitfallsv1.PitfallServiceClient,
) grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number] {
	stream, err := c.Echo(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
	n, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, int64(1), n.GetValue())
	return stream
}
