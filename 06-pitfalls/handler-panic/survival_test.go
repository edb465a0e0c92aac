package handlerpanic

import (
	"bytes"
	"context"
	"log/slog"
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
	"example.com/streams/internal/faultnet"
)

func TestSurvival_OfFixedLogging(t *testing.T) {
	const internal = "rpc error: code = Internal desc = internal error"
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, fibonacci)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend())
			_, err = stream.Recv()
			require.EqualError(t, err, "rpc error: code = Unknown desc = EOF")
			require.Contains(t, logged(), "stream failed")
			require.Contains(t, logged(), "err=EOF")
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _, _ := serveFixed(t, fibonacci)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			for err == nil {
				err = stream.Send(&pitfallsv1.Number{Value: 7})
			}
			_, err = stream.Recv()
			require.EqualError(t, err, internal)
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, panicAtTheEnd)
			ctx, cancel := context.WithCancel(ctx)
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			require.Contains(t, logged(), "panic=\"context canceled\"")
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, func(stream echo) error {
				for range 2 { // the first number uses up the quota, and the second Send waits
					if err := stream.Send(&pitfallsv1.Number{Padding: make([]byte, 1<<20)}); err != nil {
						panic(err)
					}
				}
				return nil
			})
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			require.Contains(t, logged(), "stream panicked")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, fibonacci)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			require.Contains(t, logged(), "stream failed")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, panicAtTheEnd)
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			start := time.Now()
			_, err = stream.Recv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, time.Minute, time.Since(start))
			require.Contains(t, logged(), "stream panicked")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, network := serveFixed(t, panicAtTheEnd)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			pitfalltest.Cut(network)
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Contains(t, logged(), "stream panicked")
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, fibonacci)
			pitfalltest.InARow(func(int) { require.EqualError(t, ask(ctx, client), internal) })
			require.Equal(t, pitfalltest.Many, strings.Count(logged(), "stream panicked"))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, logged, _ := serveFixed(t, fibonacci)
			for _, err := range pitfalltest.AtOnce(func(int) error { return ask(ctx, client) }) {
				require.EqualError(t, err, internal)
			}
			require.Equal(t, pitfalltest.Many, strings.Count(logged(), "stream panicked"))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
	}.Run(t)
}

// panicAtTheEnd is a handler that panics when its call has ended.
func panicAtTheEnd(stream echo) error {
	<-stream.Context().Done()
	panic(stream.Context().Err())
}

// ask makes fibonacci panic, and returns the error of Recv.
func ask(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&pitfallsv1.Number{Value: 7}); err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// serveFixed serves handler behind FixedLogging. logged waits until all other
// goroutines are blocked, and returns what was logged.
func serveFixed(t *testing.T, handler func(echo) error) (
	client pitfallsv1.PitfallServiceClient, logged func() string, n *faultnet.Network,
) {
	var log bytes.Buffer
	server := pitfalltest.Serve(t, &service.Server{OnEcho: handler},
		grpc.ChainStreamInterceptor(FixedLogging(slog.New(slog.NewTextHandler(&log, nil)))))
	client, n = pitfalltest.DialFaultyTo(t, server)
	return client, func() string {
		synctest.Wait()
		return log.String()
	}, n
}
