package errortexts

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// transport is what happens to connections.
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
		fix:   "Your client has called `Close` on the connection. Close it after the last call has ended: {05-cancellation#who-ended-it}.",
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
		shows: `rpc error: code = DeadlineExceeded desc = context deadline exceeded while waiting for connections to become ready`,
		who:   "the network or your client",
		fix:   "The deadline passed before there was a connection: nobody refused it and nobody answered. Check the address and the firewalls between: {tcp}.",
		produce: bubble(func(t *testing.T) error {
			conn := pitfalltest.Serve(t, &service.Server{}).Dial(t, grpc.WithContextDialer(unreachable))
			return count(pitfalltest.WithTimeout(t, time.Second), pitfallsv1.NewPitfallServiceClient(conn))
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: Error while dialing: ..."`,
		who:   "the network or your server",
		fix:   "`WaitForReady` let the call wait until its deadline. Look up the rest of the text, which says why the last attempt to connect failed: {no-reconnect}.",
		produce: bubble(func(t *testing.T) error {
			client, network := pitfalltest.DialFaulty(t, &service.Server{}, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
			network.Refuse(100)
			return count(pitfalltest.WithTimeout(t, time.Minute), client)
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
		fix:   "The server drained, the stream did not end in time, and `Stop` ended it: {graceful-stop}. Open a new stream: {05-cancellation#come-back}.",
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
		fix:   "The connection had reached `MaxConnectionAge`, and the grace was over: {pinned-backend}. Open a new stream: {05-cancellation#come-back}.",
		produce: bubble(func(t *testing.T) error {
			server := pitfalltest.Serve(t, pitfalltest.Idle(), grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute,
			}))
			return count(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
		}),
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: connection reset by peer"`,
		who:     "a proxy or the server",
		fix:     "The connection was made, and closed before the server sent a byte: a load balancer without a backend, or a port of another protocol: {no-reconnect}.",
		produce: func(t *testing.T) string { return countTCP(t, behind(t, resetConn)) },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header"`,
		who:     "a proxy or another server",
		fix:     "A web server without HTTP/2 answered. Check the port, and turn on HTTP/2 for clients in the proxy: {01-unary}.",
		produce: func(t *testing.T) string { return countTCP(t, httpServer(t).Listener.Addr().String()) },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: EOF"`,
		who:     "your client, or a proxy",
		fix:     "1. The server expects TLS, and the client has `insecure.NewCredentials()`: use `credentials.NewTLS`. 2. A load balancer has no backend and closes the connection: {no-reconnect}.",
		produce: func(t *testing.T) string { return countTCP(t, tlsServer(t).Listener.Addr().String()) },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: credentials: cannot check peer: missing selected ALPN property. If you upgraded from a grpc-go version earlier than 1.67, your TLS connections may have stopped working due to ALPN enforcement. For more details, see: https://github.com/grpc/grpc-go/issues/434"`,
		who:     "your server or a proxy",
		fix:     "The server speaks TLS and does not offer HTTP/2. Add `h2` to its `NextProtos`, or turn on HTTP/2 in the proxy: {01-unary}.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t), "example.com") },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: remote error: tls: no application protocol"`,
		who:     "your server or a proxy",
		fix:     "The server speaks TLS and HTTP/1.1, and does not offer HTTP/2. Check the port, or turn on HTTP/2 in the proxy: {01-unary}.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t, "http/1.1"), "example.com") },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for ..., not ..."`,
		who:     "your client or your server",
		fix:     "The certificate does not have the name that the client dials. Dial a name of the certificate, or issue a certificate with this name: {01-unary}.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t), "backend") },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"`,
		who:   "your client",
		fix:   "The client does not trust the issuer of the server's certificate. Put the issuer's certificate into `tls.Config.RootCAs`: {01-unary}.",
		produce: func(t *testing.T) string {
			return countTCP(t, tlsServer(t).Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`,
		who:   "your client",
		fix:   "The client expects TLS, and the server does not speak it. Check the port, or use `insecure.NewCredentials()` in a network that you trust: {01-unary}.",
		produce: func(t *testing.T) string {
			return countTCP(t, httpServer(t).Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ...: connect: connection refused"`,
		who:   "your server",
		fix:   "Nobody listens on this address: 1. the server is not up, has crashed, or uses another port: {handler-panic}. 2. It drains, and closes its listener first: {graceful-stop}. Open a new stream later: {no-reconnect}.",
		produce: func(t *testing.T) string {
			listener := listen(t)
			require.NoError(t, listener.Close())
			return countTCP(t, listener.Addr().String())
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ...: i/o timeout"`,
		who:   "the network",
		fix:   "The connection was not made within the dialer's time limit: the machine is off, the address is wrong, or a firewall drops packets: {tcp}.",
		produce: func(t *testing.T) string {
			dialer := net.Dialer{Timeout: time.Nanosecond}
			return countTCP(t, listen(t).Addr().String(), grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", addr)
			}))
		},
	},
	{
		shows:   `rpc error: code = Unavailable desc = dns: A record lookup error: lookup nobody.example on ...: server misbehaving`,
		who:     "the network",
		fix:     "The DNS server could not answer. In a test, a target without a scheme asks DNS although there is a dialer: {bufconn-dns}.",
		produce: func(t *testing.T) string { return countTCP(t, "dns://"+dnsServer(t, serverFailure)+"/nobody.example") },
	},
	{
		shows:   `rpc error: code = Unavailable desc = error reading from server: connection timed out`,
		who:     "the network",
		fix:     "The server's machine stopped answering, and TCP gave up, by default after two hours. Set keepalive to learn of it sooner: {dead-peer}.",
		produce: connectionTimedOut,
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: EOF`,
		who:   "your server or a proxy",
		fix:   "The server's process ended, or it or a proxy closed the connection: a `Stop`, a crash, a panic in any handler: {handler-panic}. Open a new stream: {no-reconnect}.",
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
		fix:   "The same as `error reading from server: connection reset by peer`, with a dialer of your own whose connection is not a `*net.TCPConn`: {no-reconnect}.",
		produce: func(t *testing.T) string {
			wrapped := grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
				return struct{ net.Conn }{conn}, err
			})
			return countTCP(t, framing(t, func(_ *http2.Framer, _ uint32, conn net.Conn) { resetConn(conn) }), wrapped)
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = error reading from server: connection reset by peer`,
		who:   "your server, a proxy or the network",
		fix:   "The connection was reset: the server's process was killed, or a proxy or a NAT has forgotten the connection. Open a new stream: {no-reconnect}. A connection that is quiet for long needs keepalive: {dead-peer}.",
		produce: func(t *testing.T) string {
			return countTCP(t, framing(t, func(_ *http2.Framer, _ uint32, conn net.Conn) { resetConn(conn) }))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = keepalive ping failed to receive ACK within timeout`,
		who:   "the network or your server",
		fix:   "The client's keepalive got no answer: the cable is cut, the machine is off, or the process hangs: {dead-peer}. Open a new stream: {no-reconnect}.",
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
		shows:   `rpc error: code = Unavailable desc = name resolver error: produced zero addresses`,
		who:     "your client",
		fix:     "DNS has no address for the name of the target. 1. The name is wrong. 2. In a test, a target without a scheme asks DNS although there is a dialer: {bufconn-dns}.",
		produce: func(t *testing.T) string { return countTCP(t, "dns://"+dnsServer(t, noSuchName)+"/nobody.example") },
	},
	{
		shows: `rpc error: code = Unavailable desc = the connection is draining`,
		who:   "your server or a proxy",
		fix:   "The server closed the connection for new streams while this one was opened, and again on the next connection. The handler has not run, so call again: {05-cancellation#come-back}.",
		produce: func(t *testing.T) string {
			return countTCP(t, framing(t, func(f *http2.Framer, _ uint32, _ net.Conn) {
				_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
			}))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = transport is closing`,
		who:   "your client or the network",
		fix:   "In a handler: the connection has closed, so nobody receives what `Send` sends. Return the error: {ignored-context}.",
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

func unreachable(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
