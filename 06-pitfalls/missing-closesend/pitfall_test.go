package missingclosesend

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

const day = 24 * time.Hour

// A running is a call of BrokenEcho after all answers have arrived.
type running struct {
	cancel func()
	conn   *grpc.ClientConn
	server memservertest.Server
}

func TestBroken_EchoEndsOnlyFromOutside(t *testing.T) {
	for name, tt := range map[string]struct {
		end   func(running)
		after time.Duration
		want  string // part of the error
	}{
		"by a cancel": {func(r running) { r.cancel() }, day,
			"rpc error: code = Canceled desc = context canceled"},
		"by a deadline": {func(running) {}, 2 * day,
			"rpc error: code = DeadlineExceeded"},
		"by closing the connection": {func(r running) { r.conn.Close() }, day,
			"rpc error: code = Canceled desc = grpc: the client connection is closing"},
		"by stopping the server": {func(r running) { r.server.Stop() }, day,
			"rpc error: code = Unavailable desc = error reading from server: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := pitfalltest.Serve(t, &service.Server{})
				conn, err := server.NewClient()
				require.NoError(t, err)
				defer conn.Close()
				client := pitfallsv1.NewPitfallServiceClient(conn)
				ctx, cancel := context.WithTimeout(t.Context(), 2*day)
				defer cancel()
				start := time.Now()
				var got []int64
				call := pitfalltest.Go(func() (err error) {
					got, err = BrokenEcho(ctx, client, 1, 2, 3)
					return err
				})

				call.StillRuns(t, day)
				require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")
				tt.end(running{cancel, conn, server})

				require.ErrorContains(t, call.Err(), tt.want)
				require.Equal(t, tt.after, time.Since(start))
				require.Equal(t, []int64{1, 2, 3}, got, "all answers have arrived")
			})
		})
	}
}

func TestFixed_EchoReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := pitfalltest.WithTimeout(t, time.Second)

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

		call.StillRuns(t, day)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")
		require.Contains(t, topLine("BrokenSum("), ").waitOnHeader(", "the client waits for the first answer")
		require.Contains(t, topLine("(*Server).Sum("), ").readMessageHeader(", "the handler waits for a message")
	})
}

// topLine returns the line where the goroutine waits that has called a
// function.
func topLine(function string) string {
	for _, stack := range memservertest.Goroutines() {
		if strings.Contains(stack, function) {
			return strings.Split(stack, "\n")[1]
		}
	}
	return "no goroutine has called " + function
}

func TestFixed_SumReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := pitfalltest.WithTimeout(t, time.Second)

		start := time.Now()
		sum, err := FixedSum(ctx, pitfalltest.Dial(t, &service.Server{}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, int64(6), sum)
		require.Zero(t, time.Since(start))
	})
}
