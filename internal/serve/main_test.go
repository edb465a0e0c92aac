package serve

import (
	"context"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/internal/command/commandtest"
)

// TestMain lets the tests run a server as a command.
func TestMain(m *testing.M) {
	os.Exit(commandtest.Run(m, map[string]func() int{
		"server": func() int { return Main(run, grpc.UnknownServiceHandler(abort)) },
	}))
}

func run(ctx context.Context, s *Server) error { return s.Run(ctx) }

func abort(any, grpc.ServerStream) error { return status.Error(codes.Aborted, "as New was told") }

const drain = 5 * time.Second

// A running server is told to stop by its signal, and ends on served.
type running struct {
	*Server
	listener *bufconn.Listener
	conn     *grpc.ClientConn
	signal   context.CancelFunc
	served   chan error
}

// start serves in memory. Every method but those of health and reflection
// is handled by handle.
func start(t *testing.T, handle func(grpc.ServerStream) error) *running {
	s := &running{listener: bufconn.Listen(64 << 10), served: make(chan error, 1)}
	s.Server = New(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return handle(stream) }))
	s.Drain = drain
	s.conn = s.dial(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.signal = cancel
	go func() { s.served <- s.ServeUntil(ctx, s.listener) }()
	return s
}

func (s *running) dial(t *testing.T, opts ...grpc.DialOption) *grpc.ClientConn {
	return dial(t, "passthrough:///memory", append([]grpc.DialOption{grpc.WithContextDialer(s.connect)}, opts...)...)
}

func (s *running) connect(ctx context.Context, _ string) (net.Conn, error) {
	return s.listener.DialContext(ctx)
}

func dial(t *testing.T, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	conn, err := grpc.NewClient(target, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// open returns a stream whose handler runs.
func (s *running) open(t *testing.T) grpc.ClientStream {
	stream := open(t, s.conn)
	synctest.Wait()
	return stream
}

func open(t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/any/Method")
	require.NoError(t, err)
	return stream
}

// end returns how a stream ends that carries no messages: io.EOF is OK.
func end(stream grpc.ClientStream) error { return stream.RecvMsg(nil) }

func healthOf(t *testing.T, conn *grpc.ClientConn) string {
	reply, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	return reply.GetStatus().String()
}
