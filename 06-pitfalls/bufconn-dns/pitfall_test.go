package bufconndns

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_AsksDNSAndNotTheDialer(t *testing.T) {
	for says, lookup := range map[string]error{
		"name resolver error: produced zero addresses": errors.New("the lookup fails"),
		"dns: A record lookup error: lookup bufnet":    os.ErrDeadlineExceeded,
	} {
		failDNS(t, lookup)
		target, dialed, err := ping(t, BrokenDial)

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.True(t, strings.HasPrefix(status.Convert(err).Message(), says), "got %v", err)
		require.Empty(t, dialed, "calls of the dialer")
		require.Equal(t, "dns:///bufnet", target)
	}
}

// The DNS server accepts the requests and does not answer, or the call waits
// for ready.
func TestBroken_WaitsWhileDNSDoesNotAnswer(t *testing.T) {
	// The first lookup of a process makes a channel that all later lookups use,
	// so the bubble must not be the first.
	failDNS(t, errors.New("the lookup fails"))
	_, err := net.DefaultResolver.LookupHost(t.Context(), "bufnet")
	require.Error(t, err)

	for name, test := range map[string]struct {
		lookup error
		opts   []grpc.CallOption
	}{
		"no answer":              {nil, nil},
		"a call waits for ready": {errors.New("the lookup fails"), []grpc.CallOption{grpc.WaitForReady(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failDNS(t, test.lookup)
				conn, err := BrokenDial(pitfalltest.Serve(t, &service.Server{}).DialContext)
				require.NoError(t, err)
				defer conn.Close()
				ctx := pitfalltest.WithTimeout(t, time.Second)

				start := time.Now()
				_, err = pitfallsv1.NewPitfallServiceClient(conn).Ping(ctx, &pitfallsv1.PingRequest{}, test.opts...)

				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

func TestFixed_AsksTheDialer(t *testing.T) {
	failDNS(t, errors.New("the lookup fails"))
	target, dialed, err := ping(t, FixedDial)

	require.NoError(t, err)
	require.Equal(t, []string{"bufnet"}, dialed, "calls of the dialer")
	require.Equal(t, "passthrough:///bufnet", target)
}

func TestDial_AsksTheDialer(t *testing.T) {
	failDNS(t, errors.New("the lookup fails"))
	for _, connect := range []func(string, ...grpc.DialOption) (*grpc.ClientConn, error){
		grpc.Dial, //nolint:staticcheck // the page compares it with NewClient
		func(target string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
			return grpc.DialContext(t.Context(), target, opts...) //nolint:staticcheck // as above
		},
	} {
		target, dialed, err := ping(t, func(dial dialer) (*grpc.ClientConn, error) {
			return connect("bufnet", grpc.WithContextDialer(dial),
				grpc.WithTransportCredentials(insecure.NewCredentials()))
		})

		require.NoError(t, err)
		require.Equal(t, []string{"bufnet"}, dialed, "calls of the dialer")
		require.Equal(t, "passthrough:///bufnet", target)
	}
}

func TestTarget_WithAnIPAddressNeedsNoDNS(t *testing.T) {
	failDNS(t, errors.New("the lookup fails"))
	target, dialed, err := ping(t, func(dial dialer) (*grpc.ClientConn, error) {
		return grpc.NewClient("192.0.2.1", grpc.WithContextDialer(dial),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
	})

	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.1:443"}, dialed, "calls of the dialer")
	require.Equal(t, "dns:///192.0.2.1", target)
}

// failDNS lets every request to a DNS server fail with err, or wait for an
// answer if err is nil, until the test ends. The resolvers of grpc-go and of Go run up to the socket.
func failDNS(t *testing.T, err error) {
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			if err == nil {
				conn, _ := net.Pipe()
				return conn, nil
			}
			return nil, err
		},
	}
}

type dialer = func(context.Context, string) (net.Conn, error)

// ping connects to a server and calls it. It returns the target of the
// connection, the addresses that the dialer got, and the error of the call.
func ping(
	t *testing.T, connect func(dialer) (*grpc.ClientConn, error),
) (target string, dialed []string, err error) {
	server := pitfalltest.Serve(t, &service.Server{})
	conn, err := connect(func(ctx context.Context, addr string) (net.Conn, error) {
		dialed = append(dialed, addr)
		return server.DialContext(ctx, addr)
	})
	require.NoError(t, err)
	defer conn.Close()
	_, err = pitfallsv1.NewPitfallServiceClient(conn).Ping(t.Context(), &pitfallsv1.PingRequest{})
	return conn.CanonicalTarget(), dialed, err
}
