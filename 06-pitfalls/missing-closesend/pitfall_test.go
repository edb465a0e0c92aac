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

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

func TestBrokenEchoStillWaitsAfterADayThoughAllAnswersAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := lab.Dial(t, &service.Server{})
		ctx, cancel := context.WithCancel(t.Context())
		var got []int64
		call := lab.Go(func() (err error) {
			got, err = BrokenEcho(ctx, client, 1, 2, 3)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, lab.OpenStreams(t, client), "the handler waits too")

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Zero(t, lab.OpenStreams(t, client))
	})
}

func TestFixedEchoReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		start := time.Now()
		got, err := FixedEcho(ctx, lab.Dial(t, &service.Server{}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Zero(t, time.Since(start))
	})
}

func TestBrokenSumStillWaitsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := lab.Dial(t, &service.Server{})
		call := lab.Go(func() error {
			_, err := BrokenSum(t.Context(), client, 1, 2, 3)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, lab.OpenStreams(t, client), "the handler waits too")
	})
}

func TestFixedSumReturnsAtOnceSinceCloseAndRecvClosesTheSendingHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		start := time.Now()
		sum, err := FixedSum(ctx, lab.Dial(t, &service.Server{}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, int64(6), sum)
		require.Zero(t, time.Since(start))
	})
}

func TestBrokenEchoIsEndedByOneOfThese(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(cancel func(), conn *grpc.ClientConn, server bufnet.Server)
		code codes.Code
		says string // part of the message
	}{
		{"a cancel", func(cancel func(), _ *grpc.ClientConn, _ bufnet.Server) { cancel() },
			codes.Canceled, "context canceled"},
		{"a deadline", func(func(), *grpc.ClientConn, bufnet.Server) {},
			codes.DeadlineExceeded, ""}, // both sides keep it, and either may be first
		{"the client's connection", func(_ func(), conn *grpc.ClientConn, _ bufnet.Server) { conn.Close() },
			codes.Canceled, "grpc: the client connection is closing"},
		{"the server", func(_ func(), _ *grpc.ClientConn, server bufnet.Server) { server.Stop() },
			codes.Unavailable, "error reading from server: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := bufnet.Serve(t, lab.Register(&service.Server{}))
				conn, err := server.NewClient()
				require.NoError(t, err)
				defer conn.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
				defer cancel()
				call := lab.Go(func() error {
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
