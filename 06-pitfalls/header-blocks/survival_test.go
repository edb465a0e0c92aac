package headerblocks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	survival(func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (string, error) {
		name, _, err := FixedEcho(ctx, c, 1)
		return name, err
	}).Run(t)
}

func TestSurvival_OfFixedNode(t *testing.T) {
	s := survival(func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (string, error) {
		return FixedNode(ctx, c, &pitfallsv1.CountRequest{To: 3})
	})
	// The server goes on sending after its header.
	s.InputNeverEnds = pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
		name, err := FixedNode(ctx, dial(t, setHeader), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		require.Equal(t, "a", name)
	})
	s.Run(t)
}

// survival is the list of a function that returns the name of the node.
func survival(
	node func(context.Context, pitfallsv1.PitfallServiceClient) (string, error),
) pitfalltest.Survival {
	return pitfalltest.Survival{
		InputIsClosed:  pitfalltest.NotApplicable("the only input is a value"),
		InputNeverEnds: pitfalltest.NotApplicable("the only input is a value"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			name, err := node(ctx, pitfalltest.Dial(t, &service.Server{
				OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error { return nil },
				OnEcho:  func(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error { return nil },
			}))
			require.NoError(t, err)
			require.Empty(t, name, "the server has sent no header")
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := node(ctx, dial(t, refuse))
			require.EqualError(t, err, "rpc error: code = PermissionDenied desc = token: expired")
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the only message is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := node(ctx, pitfalltest.Dial(t, pitfalltest.Idle()))
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{0, time.Nanosecond} {
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := node(ctx, pitfalltest.Dial(t, pitfalltest.Idle()))
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, err := node(ctx, client)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, err := node(ctx, client)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, setHeader)
			pitfalltest.InARow(func(int) {
				name, err := node(ctx, client)
				require.NoError(t, err)
				require.Equal(t, "a", name)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, setHeader)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := node(ctx, client)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}
}

// The client refuses to send a message that is larger than its own limit.
func TestFixed_EchoReturnsTheErrorOfItsOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{},
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1)))
		_, _, err := FixedEcho(t.Context(), client, 1000)
		require.ErrorContains(t, err, "trying to send message larger than max")
	})
}
