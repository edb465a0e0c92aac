package uninterruptiblerecv

import (
	"context"
	"errors"
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

func TestBroken_OutlivesItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, limited(BrokenEcho, time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		var got []int64
		call := pitfalltest.Go(func() (err error) {
			got, err = sendOne(ctx, client)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		require.Equal(t, []int64{1}, got)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixed_EndsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, limited(FixedEcho, time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()

		start := time.Now()
		got, err := sendOne(ctx, client)

		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		require.Equal(t, []int64{1}, got)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestBoth_EndWhenTheClientKeepsSending(t *testing.T) {
	for _, echo := range []echo{BrokenEcho, FixedEcho} {
		synctest.Test(t, func(t *testing.T) {
			stream, err := pitfalltest.Dial(t, limited(echo, time.Minute)).Echo(t.Context())
			require.NoError(t, err)
			start := time.Now()
			for err == nil {
				time.Sleep(time.Second)
				err = stream.Send(&pitfallsv1.Number{})
			}
			require.Less(t, time.Since(start), 2*time.Minute)
			_, err = service.Values(stream)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		})
	}
}

func TestBoth_ReturnOKAfterTheHalfClose(t *testing.T) {
	for _, echo := range []echo{BrokenEcho, FixedEcho} {
		synctest.Test(t, func(t *testing.T) {
			stream, err := pitfalltest.Dial(t, limited(echo, time.Minute)).Echo(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
			require.NoError(t, stream.CloseSend())
			got, err := service.Values(stream)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, got)
		})
	}
}

type echo = func(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], time.Duration) error

// limited returns a server whose Echo calls echo with the limit.
func limited(echo echo, limit time.Duration) *service.Server {
	return &service.Server{
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			return echo(stream, limit)
		},
	}
}

// sendOne sends one number and waits for the server to end the call.
func sendOne(ctx context.Context, c pitfallsv1.PitfallServiceClient) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return service.Values(stream)
}
