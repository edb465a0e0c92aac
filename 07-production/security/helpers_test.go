package security

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/security/testca"
	"example.com/streams/internal/memserver/memservertest"
)

const host = "logs.example.com"

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// A stub is a LogService whose handler is OnStreamLogs.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	OnStreamLogs func(*logsv1.LogRequest, serverStream) error
}

func (s stub) StreamLogs(req *logsv1.LogRequest, stream serverStream) error {
	return s.OnStreamLogs(req, stream)
}

// A fixture is what a server with [Options] needs. The tokens are valid for
// an hour, and the certificates for longer than a test.
type fixture struct {
	ca       *testca.CA
	server   *Certificate
	machine  *Certificate // of the client
	sessions *Sessions
	life     time.Duration // of a token
	quotas   *Quotas
	log      *logs.Log
	age      time.Duration // of a connection; 0: no limit
}

func newFixture(t *testing.T) *fixture {
	ca, err := testca.New()
	require.NoError(t, err)
	f := &fixture{
		ca: ca, server: new(Certificate), machine: new(Certificate),
		sessions: new(Sessions),
		life:     time.Hour,
		quotas:   &Quotas{Streams: 10, Interval: time.Millisecond, Burst: 10_000},
		log:      logs.NewLog(10_000),
	}
	f.server.Set(f.issue(t, host, 1000*time.Hour))
	f.machine.Set(f.issue(t, "dashboard", 1000*time.Hour))
	return f
}

func (f *fixture) issue(t *testing.T, name string, life time.Duration) *tls.Certificate {
	t.Helper()
	cert, err := f.ca.Issue(name, life)
	require.NoError(t, err)
	return cert
}

// serve serves srv with [Options], and with the options that come after.
func (f *fixture) serve(t *testing.T, srv logsv1.LogServiceServer, opts ...grpc.ServerOption) memservertest.Server {
	t.Helper()
	auth := &Auth{Lookup: f.sessions.Lookup}
	opts = append(Options(ServerTLS(f.server, f.ca.Pool), auth, f.quotas, f.age), opts...)
	return memservertest.Serve(t, func(s grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(s, srv) }, opts...)
}

func (f *fixture) serveLog(t *testing.T) memservertest.Server {
	t.Helper()
	return f.serve(t, &logs.LogServer{Log: f.log})
}

// tls is the option to connect with the machine's certificate.
func (f *fixture) tls() grpc.DialOption {
	return grpc.WithTransportCredentials(credentials.NewTLS(ClientTLS(f.machine, f.ca.Pool, host)))
}

// dial returns a client with the machine's certificate.
func (f *fixture) dial(t *testing.T, s memservertest.Server, opts ...grpc.DialOption) logsv1.LogServiceClient {
	t.Helper()
	return logsv1.NewLogServiceClient(s.Dial(t, append(opts, f.tls())...))
}

// as is the option to call with a new token of the user for each stream.
func (f *fixture) as(user string) grpc.DialOption {
	return grpc.WithPerRPCCredentials(Credentials{func(context.Context) (string, error) {
		return f.sessions.Login(user, f.life), nil
	}})
}

// follow opens a stream that follows the log until the test ends.
func follow(t *testing.T, c logsv1.LogServiceClient, opts ...grpc.CallOption) grpc.ServerStreamingClient[logsv1.LogEntry] {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := c.StreamLogs(ctx, &logsv1.LogRequest{Follow: true}, opts...)
	require.NoError(t, err)
	return stream
}

// failure reads the stream to its end. It returns the number of entries and
// the error.
func failure(stream grpc.ServerStreamingClient[logsv1.LogEntry]) (n int, err error) {
	for {
		if _, err := stream.Recv(); err != nil {
			return n, err
		}
		n++
	}
}
