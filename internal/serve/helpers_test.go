package serve_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

const (
	drain   = 5 * time.Second
	cleanup = time.Second // that of package serve
)

// start serves in memory. handle handles every method but those of health.
func start(t *testing.T, handle func(grpc.ServerStream) error) (*servetest.Server, *grpc.ClientConn) {
	s := serve.New(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return handle(stream) }))
	s.Drain = drain
	server := servetest.Start(t, s)
	return server, server.Dial(t)
}

// open returns a stream whose handler runs.
func open(t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/any/Method")
	require.NoError(t, err)
	synctest.Wait()
	return stream
}

// end returns how a stream without messages ended. io.EOF means OK.
func end(stream grpc.ClientStream) error { return stream.RecvMsg(nil) }

// untilCanceled is a handler that returns when its call is canceled.
func untilCanceled(stream grpc.ServerStream) error {
	<-stream.Context().Done()
	return nil
}

func healthOf(t *testing.T, conn *grpc.ClientConn) string {
	reply, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	return reply.GetStatus().String()
}
