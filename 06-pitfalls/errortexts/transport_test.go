package errortexts

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// transport is how connections end.
var transport = []text{
	{
		shows:   `... ERROR: [transport] Client received GoAway with error code ENHANCE_YOUR_CALM and debug data equal to ASCII "too_many_pings".`,
		who:     "your client",
		fix:     "A line in the client's log: it sent keepalive pings more often than the server allows: {too-many-pings}.",
		produce: crashing(func(t *testing.T) { _ = bubble(pingTooOften)(t) }),
	},
	{
		shows: `rpc error: code = Canceled desc = grpc: the client connection is closing`,
		who:   "your client",
		fix: "Your client has called `Close` on the connection. Close it after the last call has ended: " +
			"{hops#what-the-client-receives}.",
		produce: bubble(func(t *testing.T) error {
			conn, err := pitfalltest.Serve(t, pitfalltest.Idle()).NewClient()
			require.NoError(t, err)
			stream := openEcho(t, pitfallsv1.NewPitfallServiceClient(conn))
			require.NoError(t, conn.Close())
			_, err = stream.Recv()
			return err
		}),
	},
	{
		shows:   `rpc error: code = Unavailable desc = closing transport due to: connection error: desc = "error reading from server: EOF", received prior goaway: code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`,
		who:     "your client",
		fix:     "The client sent keepalive pings more often than the server allows: {too-many-pings}.",
		produce: bubble(pingTooOften),
	},
	{
		shows: `rpc error: code = Unavailable desc = closing transport due to: connection error: desc = "error reading from server: EOF", received prior goaway: code: NO_ERROR, debug data: "graceful_stop"`,
		who:   "your server",
		fix: "The server drained, the stream did not end in time, and the server closed the connection, for example with `Stop`: " +
			"{graceful-stop}. Open a " +
			"new stream: {05-cancellation#come-back}.",
		produce: bubble(func(t *testing.T) error {
			server := pitfalltest.Serve(t, pitfalltest.Idle())
			stream := openEcho(t, pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
			go server.GracefulStop()
			time.AfterFunc(time.Minute, server.Stop)
			_, err := stream.Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = Unavailable desc = closing transport due to: connection error: desc = "error reading from server: EOF", received prior goaway: code: NO_ERROR, debug data: "max_age"`,
		who:   "your server",
		fix: "The options of the server ask for this: at `MaxConnectionAge`, such as " +
			"30 minutes, plus or minus up to 10 %, a connection takes no new streams, and those that are still open end after `MaxConnectionAgeGrace`: {pinned-backend}. " +
			"Open a new stream, and continue after the last message: {05-cancellation#come-back}. Or let the " +
			"handler end its stream before the age.",
		produce: bubble(func(t *testing.T) error {
			server := pitfalltest.Serve(t, pitfalltest.Idle(), grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute,
			}))
			start := time.Now()
			err := count(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
			require.InDelta(t, time.Hour+time.Minute, time.Since(start), float64(6*time.Minute), "10 %")
			return err
		}),
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: connection timed out`,
		who:   "the network",
		fix: "No answer came from the server's machine, and TCP gave up: " +
			"{tcp#who-notices-a-dead-peer}. Set keepalive to learn of it sooner: {dead-peer}.",
		produce: connectionTimedOut,
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: EOF`,
		who:   "your server or a proxy",
		fix: "1. The server's process ended, or it closed the connection, for example at a `Stop`, a crash, or a panic in " +
			"a handler: {handler-panic}. 2. A proxy ended, or limits the time of a connection: " +
			"{07-production/proxies#from-the-error-text-to-the-culprit}. Open a new stream: {no-reconnect}.",
		produce: bubble(func(t *testing.T) error {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			stream := openEcho(t, client)
			network.Conn().Drop()
			_, err := stream.Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: read tcp ...->...: read: connection reset by peer`,
		who:   "your server, a proxy or the network",
		fix: "The same as `error reading from server: connection reset by peer`, for example " +
			"with TLS: {no-reconnect}.",
		produce: func(t *testing.T) string {
			server := tlsServer(t)
			config := &tls.Config{Certificates: server.TLS.Certificates, NextProtos: []string{"h2"}}
			addr := behind(t, func(conn net.Conn) {
				answerFrames(tls.Server(conn, config), func(*http2.Framer, uint32) { _ = resetConn(conn) })
			})
			return countTCP(t, addr, trusting(server, "example.com"))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: connection reset by peer`,
		who:   "your server, a proxy or the network",
		fix: "The connection was reset, for example because the server's process was killed, or a proxy or a NAT has " +
			"forgotten the connection. Open a new stream: {no-reconnect}. A connection that is quiet for long needs " +
			"keepalive: {dead-peer}.",
		produce: func(t *testing.T) string {
			return countTCP(t, framing(t, func(_ *http2.Framer, _ uint32, conn net.Conn) { _ = resetConn(conn) }))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = keepalive ping failed to receive ACK within timeout`,
		who:   "the network or your server",
		fix: "The client's keepalive got no answer, for example because the cable is cut or the machine is off: " +
			"{dead-peer}. Open a new stream: {no-reconnect}.",
		produce: bubble(func(t *testing.T) error {
			ping := keepalive.ClientParameters{Time: time.Minute, Timeout: time.Second}
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle(), grpc.WithKeepaliveParams(ping))
			stream := openEcho(t, client)
			network.Conn().HalfOpen()
			_, err := stream.Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = Unavailable desc = the connection is draining`,
		who:   "your server or a proxy",
		fix: "The server closed the connection for new streams while this one was opened. Without a retry policy, " +
			"grpc-go has sent it at most twice, on two connections. The handler has not run, so call again.",
		produce: func(t *testing.T) string {
			connections := make(chan string, 3)
			got := countTCP(t, framing(t, func(f *http2.Framer, _ uint32, conn net.Conn) {
				connections <- conn.RemoteAddr().String()
				_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
			}))
			require.Len(t, connections, 2)
			first := <-connections
			require.NotEqual(t, first, <-connections)
			return got
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = transport is closing`,
		who:   "your client, a proxy, your server or the network",
		fix: "In a handler: the connection has closed, so nobody receives what `Send` sends. Return the error: " +
			"{ignored-context}.",
		produce: handling(func(stream echoServer) error {
			<-stream.Context().Done()
			return stream.Send(&pitfallsv1.Number{})
		}),
	},
}

func pingTooOften(t *testing.T) error {
	ping := keepalive.ClientParameters{Time: 10 * time.Second}
	return count(t.Context(), pitfalltest.Dial(t, pitfalltest.Idle(), grpc.WithKeepaliveParams(ping)))
}
