package missingclosesend

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
	"example.com/streams/internal/memserver/memservertest"
)

func TestBroken_EchoStillWaitsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		ctx, cancel := context.WithCancel(t.Context())
		var got []int64
		call := pitfalltest.Go(func() (err error) {
			got, err = BrokenEcho(ctx, client, 1, 2, 3)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		require.Equal(t, []int64{1, 2, 3}, got, "all answers had arrived")
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixed_EchoReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		start := time.Now()
		got, err := FixedEcho(ctx, pitfalltest.Dial(t, &service.Server{}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Zero(t, time.Since(start))
	})
}

func TestBroken_SumStillWaitsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		call := pitfalltest.Go(func() error {
			_, err := BrokenSum(t.Context(), client, 1, 2, 3)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")
	})
}

func TestFixed_SumReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		start := time.Now()
		sum, err := FixedSum(ctx, pitfalltest.Dial(t, &service.Server{}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, int64(6), sum)
		require.Zero(t, time.Since(start))
	})
}

func TestBroken_EchoEndsOnlyFromOutside(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(cancel func(), conn *grpc.ClientConn, server memservertest.Server)
		code codes.Code
		says string // part of the message
	}{
		{"by a cancel", func(cancel func(), _ *grpc.ClientConn, _ memservertest.Server) { cancel() },
			codes.Canceled, "context canceled"},
		{"by a deadline", func(func(), *grpc.ClientConn, memservertest.Server) {},
			codes.DeadlineExceeded, ""}, // the text depends on which side is first
		{"by closing the connection", func(_ func(), conn *grpc.ClientConn, _ memservertest.Server) { conn.Close() },
			codes.Canceled, "grpc: the client connection is closing"},
		{"by stopping the server", func(_ func(), _ *grpc.ClientConn, server memservertest.Server) { server.Stop() },
			codes.Unavailable, "error reading from server: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := pitfalltest.Serve(t, &service.Server{})
				conn, err := server.NewClient()
				require.NoError(t, err)
				defer conn.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
				defer cancel()
				call := pitfalltest.Go(func() error {
					_, err := BrokenEcho(ctx, pitfallsv1.NewPitfallServiceClient(conn), 1, 2, 3)
					return err
				})
				call.StillRuns(t, 24*time.Hour)

				tt.end(cancel, conn, server)

				err = call.Err()
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, tt.says)
			})
		})
	}
}
