package sendbeforerecv

import (
	"context"
	"strings"
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

func TestBroken_HangsUntilItIsEndedFromOutside(t *testing.T) {
	for want, end := range map[codes.Code]func(cancel func(), s memservertest.Server){
		codes.Canceled:         func(cancel func(), _ memservertest.Server) { cancel() },
		codes.DeadlineExceeded: func(func(), memservertest.Server) {},
		codes.Unavailable:      func(_ func(), s memservertest.Server) { s.Stop() },
	} {
		t.Run(want.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := pitfalltest.Serve(t, &service.Server{})
				client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
				ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
				defer cancel()
				var got []int64
				call := pitfalltest.Go(func() (err error) {
					got, err = BrokenEcho(ctx, client, 1000)
					return err
				})

				call.StillRuns(t, 24*time.Hour)
				require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler has not returned")
				for _, function := range []string{"BrokenEcho(", "(*Server).Echo("} {
					require.Contains(t, stackOf(function), "transport.(*writeQuota).get(", "both sides wait in Send")
				}

				end(cancel, server)
				err := call.Err()
				require.Equal(t, want.String(), status.Code(err).String(), "got %v", err)
				require.Less(t, len(got), 1000)
			})
		})
	}
}

// stackOf returns the stack of the goroutine that has called a function.
func stackOf(function string) string {
	for _, stack := range memservertest.Goroutines() {
		if strings.Contains(stack, function) {
			return stack
		}
	}
	return "no goroutine has called " + function
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
