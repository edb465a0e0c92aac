package pinnedbackend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// The server has the options, so its peer is the client.
func TestSurvival_OfFixedServerOptions(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := pitfalltest.Count(ctx, dial(t, pitfalltest.Ends(nil)), endless)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			requireMaxAge(t, func() error {
				_, err := pitfalltest.Count(ctx, dial(t, backend(1)), endless)
				return err
			})
			time.Sleep(time.Minute) // the handler sleeps between two numbers
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, backend(1))
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(150*time.Second, cancel)
			_, err := pitfalltest.Count(ctx, client, endless)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			time.Sleep(time.Minute)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			returned := make(chan error, 1)
			client := dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
				returned <- send(stream)
				return nil
			}})
			stream, err := client.Count(ctx, &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			requireMaxAge(t, func() error {
				require.Error(t, <-returned)
				_, err := service.Values(stream)
				return err
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			stream, err := dial(t, &service.Server{}).Sum(ctx)
			require.NoError(t, err)
			requireMaxAge(t, func() error { return stream.RecvMsg(&pitfallsv1.SumResponse{}) })
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{0, time.Second, 10 * time.Minute} {
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := pitfalltest.Count(ctx, dial(t, pitfalltest.Idle()), endless)
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaultyTo(t,
				pitfalltest.Serve(t, pitfalltest.Idle(), FixedServerOptions(age)...))
			time.AfterFunc(10*time.Minute, func() { network.Conn().Drop() })
			_, err := pitfalltest.Count(ctx, client, endless)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
			requireMaxAge(t, func() error { // the age of the second connection
				_, err := pitfalltest.Count(ctx, client, endless)
				return err
			})
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		// The calls take more than 16 hours, and so many connections.
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaultyTo(t,
				pitfalltest.Serve(t, &service.Server{}, FixedServerOptions(age)...))
			connections := map[any]bool{}
			pitfalltest.InARow(func(int) {
				_, err := client.Ping(ctx, &pitfallsv1.PingRequest{})
				require.NoError(t, err)
				connections[network.Conn()] = true
				time.Sleep(10 * time.Minute)
			})
			require.GreaterOrEqual(t, len(connections), 25, "one in 40 minutes")
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, pitfalltest.Idle())
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := pitfalltest.Count(ctx, client, endless)
				return err
			}) {
				require.ErrorContains(t, err, maxAge)
			}
		}),
	}.Run(t)
}

var endless = &pitfallsv1.CountRequest{}

const maxAge = `received prior goaway: code: NO_ERROR, debug data: "max_age"`

// requireMaxAge requires that f, which begins with the connection, ends with
// the connection.
func requireMaxAge(t *testing.T, f func() error) {
	t.Helper()
	start := time.Now()
	require.ErrorContains(t, f(), maxAge)
	require.InDelta(t, age+age/10, time.Since(start), float64(age/10))
}

func dial(t *testing.T, s *service.Server) pitfallsv1.PitfallServiceClient {
	return pitfallsv1.NewPitfallServiceClient(pitfalltest.Serve(t, s, FixedServerOptions(age)...).Dial(t))
}

type numbers = grpc.ServerStreamingServer[pitfallsv1.Number]

// send sends numbers until Send fails.
func send(stream numbers) error {
	for {
		if err := stream.Send(&pitfallsv1.Number{Padding: make([]byte, 1<<10)}); err != nil {
			return err
		}
	}
}
