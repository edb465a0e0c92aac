package errortexts

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// connecting is why no connection could be made.
var connecting = []text{
	{
		shows: `rpc error: code = DeadlineExceeded desc = context deadline exceeded while waiting for connections to become ready`,
		who:   "the network or your client",
		fix: "The deadline passed before there was a connection, usually because nobody answered. Check " +
			"the address and the firewalls between.",
		produce: bubble(func(t *testing.T) error {
			conn := pitfalltest.Serve(t, &service.Server{}).Dial(t, grpc.WithContextDialer(unreachable))
			return count(pitfalltest.WithTimeout(t, time.Second), pitfallsv1.NewPitfallServiceClient(conn))
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: Error while dialing: ..."`,
		who:   "the network or your server",
		fix: "`WaitForReady` let the call wait until its deadline. Look up the rest of the text, which says why " +
			"the last attempt to connect failed: {no-reconnect}.",
		produce: bubble(func(t *testing.T) error {
			client, network := pitfalltest.DialFaulty(t, &service.Server{}, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
			network.Refuse(100)
			return count(pitfalltest.WithTimeout(t, time.Minute), client)
		}),
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: connection reset by peer"`,
		who:   "your client, a proxy or the server",
		fix: "The same as `error reading server preface: EOF`." +
			"",
		produce: func(t *testing.T) string { return countTCP(t, ending(t, resetConn)) },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header"`,
		who:     "a proxy or another server",
		fix:     "A web server answered that does not speak HTTP/2 on this port. Check the port, and turn on HTTP/2 without TLS in the proxy.",
		produce: func(t *testing.T) string { return countTCP(t, httpServer(t).Listener.Addr().String()) },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: EOF"`,
		who:   "your client, a proxy or the server",
		fix: "The server closed the connection before it sent a byte. For example, it expects TLS, and the client has " +
			"`insecure.NewCredentials()`: use `credentials.NewTLS`. Or it is a load balancer without a backend, " +
			"or speaks another protocol.",
		produce: func(t *testing.T) string { return countTCP(t, ending(t, net.Conn.Close)) },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: credentials: cannot check peer: missing selected ALPN property. ..."`,
		who:   "your server or a proxy",
		fix: "The server speaks TLS and chose no protocol. Add `h2` to its `NextProtos`, or turn on HTTP/2 " +
			"in the proxy.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t), "example.com") },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: remote error: tls: no application protocol"`,
		who:   "your server or a proxy",
		fix: "The server speaks TLS, and offers other protocols, such as HTTP/1.1, but not HTTP/2. Check the port, or turn on HTTP/2 " +
			"in the proxy.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t, "http/1.1"), "example.com") },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for ..., not ..."`,
		who:   "your client or your server",
		fix: "The certificate does not have the name that the client expects. Dial a name of the certificate, or " +
			"issue a certificate with this name.",
		produce: func(t *testing.T) string { return countTLS(t, tlsServer(t), "backend") },
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"`,
		who:   "your client or your server",
		fix: "The client finds no way from the server's certificate to an issuer that it trusts. 1. Put the issuer's certificate " +
			"into `tls.Config.RootCAs`. 2. Let the server send its intermediate certificates, too.",
		produce: func(t *testing.T) string {
			return countTCP(t, tlsServer(t).Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`,
		who:   "your client",
		fix: "The client expects TLS, and the server does not speak it. Check the port, or use " +
			"`insecure.NewCredentials()` in a network that you trust.",
		produce: func(t *testing.T) string {
			return countTCP(t, httpServer(t).Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ...: connect: connection refused"`,
		who:   "your server",
		fix: "Usually nobody listens on this address. 1. The server is not up, has crashed, or uses another port. 2. It " +
			"drains, and closes its listener first: {tcp#during-a-drain}. Open a new stream later: " +
			"{no-reconnect}.",
		produce: func(t *testing.T) string {
			listener := listen(t)
			require.NoError(t, listener.Close())
			return countTCP(t, listener.Addr().String())
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ...: i/o timeout"`,
		who:   "the network",
		fix: "The connection was not made within the dialer's time limit, for example because the machine is off, the address is " +
			"wrong, or a firewall drops packets.",
		produce: func(t *testing.T) string {
			return countTCP(t, listen(t).Addr().String(), dialingWith(net.Dialer{Timeout: time.Nanosecond}))
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = dns: A record lookup error: lookup ... on ...: server misbehaving`,
		who:   "the network",
		fix: "The DNS server could not answer. In a test, a target without a scheme asks DNS although there is a " +
			"dialer: {bufconn-dns}.",
		produce: func(t *testing.T) string { return countTCP(t, "dns://"+dnsServer(t, serverFailure)+"/nobody.example") },
	},
	{
		shows: `rpc error: code = Unavailable desc = name resolver error: produced zero addresses`,
		who:   "your client or the network",
		fix: "The resolver, by default DNS, has no address for the name of the target. 1. The name is wrong, or nothing has it now. 2. In a test, a target " +
			"without a scheme asks DNS although there is a dialer: {bufconn-dns}.",
		produce: func(t *testing.T) string { return countTCP(t, "dns://"+dnsServer(t, noSuchName)+"/nobody.example") },
	},
}

func TestTLSServer_EndsAClientWithoutTLS(t *testing.T) {
	got := countTCP(t, tlsServer(t).Listener.Addr().String())
	require.Regexp(t, `error reading server preface: (EOF|connection reset by peer)"$`, got)
}

// ending returns the address of a server that calls end as soon as it has
// read all that a client sends on its own.
func ending(t *testing.T, end func(net.Conn) error) (addr string) {
	return behind(t, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		_, _ = http2.NewFramer(conn, conn).ReadFrame() // the client's settings
		_ = end(conn)
	})
}

func dialingWith(dialer net.Dialer) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", addr)
	})
}

func unreachable(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
