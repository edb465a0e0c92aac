package cancellation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// The connection between client and gateway dies. Each side notices on its
// own, if it asks: a close or a reset cannot cross a dead connection.
func TestADeadPeerIsNoticedByWhoeverHasKeepalive(t *testing.T) {
	clientAsks := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second})
	serverAsks := grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 10 * time.Second})
	serverAllows := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute})
	const never, byDefault, asked = 0, 2*time.Hour + 20*time.Second, time.Minute + 10*time.Second
	for _, tt := range []struct {
		name           string
		client         grpc.DialOption
		server         grpc.ServerOption
		clientNotices  time.Duration // after the last byte
		gatewayNotices time.Duration
	}{
		{"by default", grpc.EmptyDialOption{}, grpc.EmptyServerOption{}, never, byDefault},
		{"the client asks", clientAsks, grpc.EmptyServerOption{}, asked, byDefault},
		{"the server asks", grpc.EmptyDialOption{}, serverAsks, never, asked},
		{"both ask", clientAsks, serverAsks, asked, asked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := NewExchange(1)
				x.Interval = 10 * time.Minute
				var net badNet
				h := setup{
					exchange:       x,
					clientNet:      net.between,
					clientOptions:  []grpc.DialOption{tt.client},
					gatewayOptions: []grpc.ServerOption{tt.server, serverAllows},
				}.start(t)
				stream := watch(t, t.Context(), h.client)
				recv(t, stream, 1)
				h.roundTrip(t)
				net.mustConn(t).silence()
				last := now() // byte in either direction
				client := make(ends, 1)
				go func() {
					_, err := stream.Recv()
					client.called(err)
				}()
				time.Sleep(24 * time.Hour)

				require.Equal(t, last+tt.gatewayNotices, h.gateway.next(t).at)
				require.Equal(t, last+tt.gatewayNotices, h.exchange.next(t).at)
				if tt.clientNotices == never {
					require.Empty(t, client, "a day later it still waits")
					return
				}
				end := client.next(t)
				require.Equal(t, last+tt.clientNotices, end.at)
				require.Equal(t, codes.Unavailable, status.Code(end.err), "got %v", end.err)
			})
		})
	}
}

// roundTrip makes bytes cross both hops in both directions.
func (h *hops) roundTrip(t *testing.T) {
	stream, err := h.client.Watch(t.Context(), &tickerv1.WatchRequest{Symbols: []string{"?"}})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
	require.Equal(t, codes.NotFound, status.Code(h.gateway.next(t).err))
	require.Equal(t, codes.NotFound, status.Code(h.exchange.next(t).err))
}

// Here the connection dies between the gateway and the exchange.
func TestADeadUpstreamIsAnErrorThatTheGatewayPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net badNet
		h := setup{
			upstreamNet:     net.between,
			upstreamOptions: DialOptions(),
			exchangeOptions: ServerOptions(),
		}.start(t)
		stream := watch(t, t.Context(), h.client)
		recv(t, stream, 10)
		net.mustConn(t).silence()

		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, 40*time.Second, now(), "pingAfter + pongWithin after the last tick")
		require.Equal(t, now(), h.gateway.next(t).at)
		time.Sleep(pingAfter + pongWithin)
		require.LessOrEqual(t, h.exchange.next(t).at, now())
	})
}

func TestTooManyPingsEndTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server []grpc.ServerOption
		ends   bool
	}{
		{"the server allows one in 5 minutes, as by default", nil, true},
		{"the server allows as many", ServerOptions(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup{
					exchange:       fallsSilent(1),
					clientOptions:  DialOptions(),
					gatewayOptions: tt.server,
				}.start(t)
				stream := watch(t, t.Context(), h.client)
				_, err := stream.Recv()
				require.NoError(t, err)
				client := make(ends, 1)
				go func() {
					_, err := stream.Recv()
					client.called(err)
				}()
				time.Sleep(2 * time.Hour)

				if !tt.ends {
					require.Empty(t, client, "2 hours later they get on well")
					return
				}
				end := client.next(t)
				require.Equal(t, codes.Unavailable, status.Code(end.err), "got %v", end.err)
				require.ErrorContains(t, end.err, `code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`)
				third := time.Second + 3*pingAfter // ping after the last message
				require.Equal(t, third+time.Second, end.at, "GOAWAY has a second to arrive")
				require.Equal(t, end.at, h.gateway.next(t).at)
				require.Equal(t, end.at, h.exchange.next(t).at)
			})
		})
	}
}
