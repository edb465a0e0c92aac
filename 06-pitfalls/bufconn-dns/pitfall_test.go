package bufconndns

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestBrokenDialAsksDNSAndNeverTheDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &counted{Server: pitfalltest.Serve(t, &service.Server{})}
		conn, err := BrokenDial(server.DialContext, grpc.WithResolvers(emptyDNS{}))
		require.NoError(t, err)
		defer conn.Close()

		err = ping(t, conn)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, "name resolver error: produced zero addresses", status.Convert(err).Message())
		require.Zero(t, server.dialed)
		require.Equal(t, "dns:///bufnet", conn.CanonicalTarget())
	})
}

func TestFixedDialAsksTheDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &counted{Server: pitfalltest.Serve(t, &service.Server{})}
		conn, err := FixedDial(server.DialContext, grpc.WithResolvers(emptyDNS{}))
		require.NoError(t, err)
		defer conn.Close()

		require.NoError(t, ping(t, conn))

		require.Equal(t, 1, server.dialed)
		require.Equal(t, "passthrough:///bufnet", conn.CanonicalTarget())
	})
}

// The resolvers of grpc and of Go, up to the socket. They do not like bubbles.
func TestBrokenDialFailsInTheRealResolver(t *testing.T) {
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	noNetwork := func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("a test has no network")
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: noNetwork}
	conn, err := BrokenDial(pitfalltest.Serve(t, &service.Server{}).DialContext)
	require.NoError(t, err)
	defer conn.Close()

	err = ping(t, conn)

	require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
	require.Equal(t, "name resolver error: produced zero addresses", status.Convert(err).Message())
}

func TestAnIPAddressNeedsNoDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{})
		conn, err := grpc.NewClient("192.0.2.1", grpc.WithContextDialer(server.DialContext),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()

		require.NoError(t, ping(t, conn))
		require.Equal(t, "dns:///192.0.2.1", conn.CanonicalTarget())
	})
}

// counted counts how often it is dialed.
type counted struct {
	memservertest.Server
	dialed int
}

func (c *counted) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	c.dialed++
	return c.Server.DialContext(ctx, addr)
}

func ping(t *testing.T, conn *grpc.ClientConn) error {
	_, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(t.Context(), &pitfallsv1.PingRequest{})
	return err
}

// emptyDNS takes the place of DNS, so that no play depends on a network. It
// reports what the real one does for a name that does not exist: no address.
type emptyDNS struct{}

func (emptyDNS) Scheme() string { return "dns" }

func (emptyDNS) Build(
	_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	_ = cc.UpdateState(resolver.State{}) // the error says so again
	return emptyDNS{}, nil
}

func (emptyDNS) ResolveNow(resolver.ResolveNowOptions) {}

func (emptyDNS) Close() {}
