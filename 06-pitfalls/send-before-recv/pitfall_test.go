package sendbeforerecv

import (
	"context"
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

func TestBroken_HangsUntilItIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		ctx, cancel := context.WithCancel(t.Context())
		var got []int64
		call := pitfalltest.Go(func() (err error) {
			got, err = BrokenEcho(ctx, client, 500)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits in Send too")

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		require.Less(t, len(got), 500)
	})
}

func TestFixed_EchoesManyNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		got, err := FixedEcho(ctx, client, 500)

		require.NoError(t, err)
		require.Len(t, got, 500)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestBoth_EchoAFewNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		got, err := BrokenEcho(t.Context(), client, 10)
		require.NoError(t, err)
		require.Len(t, got, 10)

		got, err = FixedEcho(t.Context(), client, 10)
		require.NoError(t, err)
		require.Len(t, got, 10)
	})
}

// A connection in memory holds 64 KiB in each direction; over TCP, the buffers
// of the sockets take its place.
func TestSend_BlocksAfter255NumbersOf1KiB(t *testing.T) {
	const window = 64 << 10
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{},
			grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window))
		conn := server.Dial(t,
			grpc.WithStaticStreamWindowSize(window), grpc.WithStaticConnWindowSize(window))
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Echo(t.Context())
		require.NoError(t, err)
		sent := 0
		sender := pitfalltest.Go(func() error {
			for err == nil {
				err = stream.Send(&pitfallsv1.Number{Value: 1, Padding: make([]byte, 1<<10)})
				sent++
			}
			return err
		})

		sender.StillRuns(t, 24*time.Hour)
		require.Equal(t, 255, sent, "finished calls of Send")
	})
}
