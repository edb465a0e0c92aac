package bufconndns

import (
	"context"
	"errors"
	"net"
	"os"
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

func TestBroken_AsksDNSAndNotTheDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &countingServer{Server: pitfalltest.Serve(t, &service.Server{})}
		conn, err := BrokenDial(server.DialContext, grpc.WithResolvers(emptyDNS{}))
		require.NoError(t, err)
		defer conn.Close()

		err = ping(t, conn)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, "name resolver error: produced zero addresses", status.Convert(err).Message())
		require.Zero(t, server.dialed, "calls of the dialer")
		require.Equal(t, "dns:///bufnet", conn.CanonicalTarget())
	})
}

func TestFixed_AsksTheDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &countingServer{Server: pitfalltest.Serve(t, &service.Server{})}
		conn, err := FixedDial(server.DialContext, grpc.WithResolvers(emptyDNS{}))
		require.NoError(t, err)
		defer conn.Close()

		require.NoError(t, ping(t, conn))

		require.Equal(t, 1, server.dialed, "calls of the dialer")
		require.Equal(t, "passthrough:///bufnet", conn.CanonicalTarget())
	})
}

// This test runs the resolvers of grpc-go and of Go, up to the socket.
func TestBroken_FailsInTheRealResolver(t *testing.T) {
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	for says, lookup := range map[string]error{
		"name resolver error: produced zero addresses": errors.New("the lookup fails"),
		"dns: A record lookup error: lookup bufnet":    os.ErrDeadlineExceeded,
	} {
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, lookup
		}}
		conn, err := BrokenDial(pitfalltest.Serve(t, &service.Server{}).DialContext)
		require.NoError(t, err)
		defer conn.Close()

		err = ping(t, conn)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, says)
	}
}

func TestTarget_WithAnIPAddressNeedsNoDNS(t *testing.T) {
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

// A countingServer counts the calls of its dialer.
type countingServer struct {
	memservertest.Server
	dialed int
}

func (c *countingServer) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	c.dialed++
	return c.Server.DialContext(ctx, addr)
}

func ping(t *testing.T, conn *grpc.ClientConn) error {
	_, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(t.Context(), &pitfallsv1.PingRequest{})
	return err
}

// emptyDNS takes the place of the dns resolver, so that the tests need no
// network. It reports no addresses, as the real resolver does for a name that
// does not exist.
type emptyDNS struct{}

func (emptyDNS) Scheme() string { return "dns" }

func (emptyDNS) Build(
	_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	_ = cc.UpdateState(resolver.State{}) // returns an error because there are no addresses
	return emptyDNS{}, nil
}

func (emptyDNS) ResolveNow(resolver.ResolveNowOptions) {}

func (emptyDNS) Close() {}
