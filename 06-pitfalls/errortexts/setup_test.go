package errortexts

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// setup is what a wrong setup of a client or a server leads to.
var setup = []text{
	{
		shows: `grpc: no transport security set (use grpc.WithTransportCredentials(insecure.NewCredentials()) explicitly or set credentials)`,
		who:   "your client",
		fix: "`grpc.NewClient` needs credentials: `credentials.NewTLS`, or `insecure.NewCredentials()` without " +
			"encryption: {01-unary#the-two-programs}.",
		produce: newClient("localhost:50051"),
	},
	{
		shows: `grpc: the credentials require transport level security (use grpc.WithTransportCredentials() to set)`,
		who:   "your client",
		fix: "`grpc.NewClient` refuses these credentials together with `insecure.NewCredentials()`. Use `credentials.NewTLS`; " +
			"`RequireTransportSecurity` of the credentials decides.",
		produce: newClient("localhost:50051", withInsecure, grpc.WithPerRPCCredentials(secureToken{})),
	},
	{
		shows: `grpc: the provided default service config is invalid: ...`,
		who:   "your client",
		fix: "`grpc.WithDefaultServiceConfig` was given JSON that is malformed or not allowed. The rest of the text " +
			"says what is wrong: {retry-policy}.",
		produce: newClient("localhost:50051", withInsecure, grpc.WithDefaultServiceConfig(`{"methodConfig": 1}`)),
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: address ...: missing port in address"`,
		who:     "your client",
		fix:     "Without a dialer of your own, a `passthrough` target needs a port: `passthrough:///localhost:50051`.",
		produce: func(t *testing.T) string { return countTCP(t, "passthrough:///localhost") },
	},
	{
		shows:   `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: lookup ... on ...: no such host"`,
		who:     "your client or the network",
		fix:     "The dialer asked DNS for a name, usually that of the target, and DNS has no address for it. Check the name.",
		produce: noSuchHost,
	},
	{
		shows:   `listen tcp: address ...: missing port in address`,
		who:     "your server",
		fix:     "The address of a listener needs a port: `localhost:50051`.",
		produce: func(t *testing.T) string { return listenError(t, "50051") },
	},
	{
		shows:   `listen tcp ...: bind: address already in use`,
		who:     "the system",
		fix:     "A process already uses this port, such as an older run of your server. End it, or use another port.",
		produce: func(t *testing.T) string { return listenError(t, listen(t).Addr().String()) },
	},
	{
		shows: `grpc: the server has been stopped`,
		who:   "your server",
		fix:   "`Serve` was called after `Stop` or `GracefulStop`. Create a new `grpc.Server`: {graceful-stop}.",
		produce: func(t *testing.T) string {
			server := grpc.NewServer()
			server.Stop()
			gracefully := grpc.NewServer()
			gracefully.GracefulStop()
			require.Equal(t, server.Serve(listen(t)), gracefully.Serve(listen(t)))
			return server.Serve(listen(t)).Error()
		},
	},
	{
		shows: `... FATAL: [core] grpc: Server.RegisterService after Server.Serve for "..."`,
		who:   "your server",
		fix:   "Register all services before `Serve`: {01-unary#the-two-programs}.",
		produce: crashing(func(t *testing.T) {
			server := pitfalltest.Serve(t, &service.Server{})
			client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
			require.NoError(t, count(t.Context(), client))
			new(service.Server).Register(server)
		}),
	},
	{
		shows: `... FATAL: [core] grpc: Server.RegisterService found duplicate service registration for "..."`,
		who:   "your server",
		fix:   "The service is registered twice on the same server. Remove one of the calls.",
		produce: crashing(func(*testing.T) {
			server := grpc.NewServer()
			new(service.Server).Register(server)
			new(service.Server).Register(server)
		}),
	},
}

var withInsecure = grpc.WithTransportCredentials(insecure.NewCredentials())

// secureToken is a token that needs TLS.
type secureToken struct{ noToken }

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (secureToken) RequireTransportSecurity() bool { return true }

// newClient returns a producer of the error of grpc.NewClient.
func newClient(target string, opts ...grpc.DialOption) func(*testing.T) string {
	return func(t *testing.T) string {
		_, err := grpc.NewClient(target, opts...)
		require.Error(t, err)
		return err.Error()
	}
}

func listenError(t *testing.T, addr string) string {
	_, err := net.Listen("tcp", addr)
	require.Error(t, err)
	return err.Error()
}

// crashing returns a producer of what a process prints that runs crash.
func crashing(crash func(*testing.T)) func(*testing.T) string {
	return func(t *testing.T) string {
		return pitfalltest.Process(t, func() { crash(t) })
	}
}

// noSuchHost dials a name that DNS does not know.
func noSuchHost(t *testing.T) string {
	dns := dnsServer(t, noSuchName)
	dialer := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp", dns)
	}}}
	return countTCP(t, "passthrough:///nobody.example:50051", dialingWith(dialer))
}
