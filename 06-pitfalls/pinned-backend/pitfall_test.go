package pinnedbackend

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const age = 30 * time.Minute

func TestBroken_StreamStaysOnTheFirstServerForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, connections := serve(t, BrokenServerOptions(age))
		moved := false
		call := pitfalltest.Go(func() error {
			return follow(t.Context(), client, func(server int64) { moved = moved || server == 2 })
		})

		call.StillRuns(t, 24*time.Hour)
		require.False(t, moved)

		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err)
		require.Equal(t, int64(2), connections.Load(), "a new call uses a new connection")
		require.False(t, moved)
	})
}

func TestFixed_StreamMovesAfterTheAgeAndTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := serve(t, FixedServerOptions(age))
		start := time.Now()
		var moved time.Duration
		call := pitfalltest.Go(func() error {
			return follow(t.Context(), client, func(server int64) {
				if server == 2 && moved == 0 {
					moved = time.Since(start)
				}
			})
		})

		call.StillRuns(t, time.Hour)
		grace := age / 10
		require.GreaterOrEqual(t, moved, age-age/10+grace)
		require.LessOrEqual(t, moved, age+age/10+grace)
	})
}

func TestFixed_StreamEndsWithUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := serve(t, FixedServerOptions(age))
		stream, err := client.Count(pitfalltest.WithTimeout(t, time.Hour), &pitfallsv1.CountRequest{})
		require.NoError(t, err)

		_, err = service.Values(stream)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.True(t, strings.HasSuffix(err.Error(), `received prior goaway: code: NO_ERROR, debug data: "max_age"`), "got %v", err)
	})
}

// Without a load balancer, the client decides where its connection leads.
func TestPickFirst_ConnectsToTheFirstAddressAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := pitfalltest.Serve(t, backend(1), FixedServerOptions(age)...)
		second := pitfalltest.Serve(t, backend(2))
		addresses := manual.NewBuilderWithScheme("list")
		addresses.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: "first"}, {Addr: "second"}}})
		connections := 0
		conn, err := grpc.NewClient("list:///servers", grpc.WithResolvers(addresses),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "second" {
					return second.DialContext(ctx, addr)
				}
				connections++
				return first.DialContext(ctx, addr)
			}))
		require.NoError(t, err)
		defer conn.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		call := pitfalltest.Go(func() error {
			return follow(ctx, pitfallsv1.NewPitfallServiceClient(conn), func(server int64) {
				if server == 2 {
					cancel()
				}
			})
		})

		call.StillRuns(t, 24*time.Hour)
		require.Greater(t, connections, 24*60/37, "one connection per age and grace")
	})
}

// serve returns a client of two servers, of which the first has the options.
// The client's first connection leads to the first server, and all others to
// the second, as a load balancer may decide. connections counts them.
func serve(
	t *testing.T, opts []grpc.ServerOption,
) (client pitfallsv1.PitfallServiceClient, connections *atomic.Int64) {
	first := pitfalltest.Serve(t, backend(1), opts...)
	second := pitfalltest.Serve(t, backend(2))
	connections = new(atomic.Int64)
	dial := func(ctx context.Context, addr string) (net.Conn, error) {
		if connections.Add(1) == 1 {
			return first.DialContext(ctx, addr)
		}
		return second.DialContext(ctx, addr)
	}
	return pitfallsv1.NewPitfallServiceClient(first.Dial(t, grpc.WithContextDialer(dial))), connections
}

// backend returns a service whose Count sends the number of the server each
// minute.
func backend(number int64) *service.Server {
	return &service.Server{OnCount: func(
		_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	) error {
		for {
			if err := stream.Send(&pitfallsv1.Number{Value: number}); err != nil {
				return err
			}
			time.Sleep(time.Minute)
		}
	}}
}

// follow opens a new stream whenever a stream ends with Unavailable.
func follow(ctx context.Context, c pitfallsv1.PitfallServiceClient, handle func(int64)) error {
	for {
		stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
		for err == nil {
			var n *pitfallsv1.Number
			if n, err = stream.Recv(); err == nil {
				handle(n.GetValue())
			}
		}
		if status.Code(err) != codes.Unavailable {
			return err
		}
	}
}
