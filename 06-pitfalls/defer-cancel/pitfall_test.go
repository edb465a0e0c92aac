package defercancel

import (
	"context"
	"net"
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

var request = &pitfallsv1.CountRequest{To: 3}

func TestBroken_OpenReturnsACanceledStream(t *testing.T) {
	for _, limit := range []time.Duration{time.Second, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			stream, err := BrokenOpen(t.Context(), pitfalltest.Dial(t, ticking), request, limit)
			require.NoError(t, err)

			start := time.Now()
			got, err := service.Values(stream)

			require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")
			require.Zero(t, time.Since(start), "long before the limit")
			require.Empty(t, got)
		})
	}
}

// BrokenOpen without its defer.
func TestTimeout_AloneEndsTheStreamLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := pitfalltest.WithTimeout(t, 1200*time.Millisecond)
		stream, err := pitfalltest.Dial(t, ticking).Count(ctx, request)
		require.NoError(t, err)

		start := time.Now()
		got, err := service.Values(stream)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 1200*time.Millisecond, time.Since(start))
		require.Equal(t, []int64{1, 2}, got)
	})
}

func TestFixed_StreamOutlivesTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := FixedOpen(t.Context(), pitfalltest.Dial(t, ticking), request, time.Second)
		require.NoError(t, err)

		start := time.Now()
		got, err := service.Values(stream)

		require.NoError(t, err)
		require.Equal(t, 1500*time.Millisecond, time.Since(start))
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

func TestFixed_OpenLeavesRetriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
				if attempts++; attempts == 1 {
					return status.Error(codes.Unavailable, "restarting")
				}
				return stream.Send(&pitfallsv1.Number{Value: 1})
			},
		}, pitfalltest.RetryOnce())
		values, err := read(t.Context(), client, request)
		require.NoError(t, err)
		require.Equal(t, []int64{1}, values)

		attempts = 0
		stream, err := client.Count(t.Context(), request)
		require.NoError(t, err)
		ctx := stream.Context() // turns off retries
		_, err = stream.Recv()
		require.EqualError(t, err, "rpc error: code = Unavailable desc = restarting")
		require.ErrorIs(t, ctx.Err(), context.Canceled)
	})
}

// A caller is a context that counts the contexts that were derived from it and
// have not ended.
type caller struct {
	context.Context
	entries int
}

func (c *caller) Done() <-chan struct{} { return make(chan struct{}) }

func (c *caller) AfterFunc(func()) (stop func() bool) {
	c.entries++
	return func() bool { c.entries--; return true }
}

func TestFixed_OpenLeavesNoEntryInTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, ticking)
		c := &caller{Context: t.Context()}
		stream, err := FixedOpen(c, client, request, time.Second)
		require.NoError(t, err)
		require.Equal(t, 1, c.entries)
		_, err = service.Values(stream)
		require.NoError(t, err)
		require.Zero(t, c.entries)

		ctx, cancel := context.WithCancel(c)
		defer cancel()
		_, err = pitfalltest.Count(ctx, client, request) // without OnFinish
		require.NoError(t, err)
		require.Equal(t, 1, c.entries)
	})
}

func TestCaller_CancelEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := FixedOpen(ctx, pitfalltest.Dial(t, ticking), request, time.Second)
		require.NoError(t, err)

		cancel()
		_, err = service.Values(stream)
		require.Equal(t, codes.Canceled, status.Code(err))
	})
}

// The connection is never made, so the opening of the stream waits.
func TestBoth_EndAnOpeningAtTheLimit(t *testing.T) {
	for name, open := range map[string]open{"broken": BrokenOpen, "fixed": FixedOpen} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := pitfalltest.Serve(t, ticking).Dial(t, grpc.WithContextDialer(unreachable))
				client := pitfallsv1.NewPitfallServiceClient(conn)

				start := time.Now()
				_, err := open(t.Context(), client, request, time.Second)

				require.Equal(t, codes.DeadlineExceeded, status.Code(err))
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

func unreachable(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type open = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, time.Duration,
) (grpc.ServerStreamingClient[pitfallsv1.Number], error)

// ticking is a server that sends a number every 500 ms.
var ticking = &service.Server{
	OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		for i := range req.GetTo() {
			time.Sleep(500 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				return err
			}
		}
		return nil
	},
}
