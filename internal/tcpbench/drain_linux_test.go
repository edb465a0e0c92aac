package tcpbench

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/serve"
)

// A drain closes the listener, so a client that connects then is
// refused by the operating system. It cannot tell this from a server that
// was never there.
func TestDrain_RefusesNewConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	s := serve.New()
	s.Drain = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.ServeUntil(ctx, listener) }()

	check := func(conn *grpc.ClientConn, opts ...grpc.CallOption) error {
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}, opts...)
		return err
	}
	streamCtx, endStream := context.WithCancel(t.Context())
	watch, err := healthv1.NewHealthClient(dial(t, addr)).Watch(streamCtx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)

	cancel()
	changed, err := watch.Recv()
	require.NoError(t, err, "an open stream goes on during the drain")
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, changed.GetStatus())
	// The listener closes right after the health changes.
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond)

	err = check(dial(t, addr))
	require.ErrorContains(t, err, "connect: connection refused")
	require.Equal(t, codes.Unavailable, status.Code(err))
	free, listenErr := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, listenErr)
	never := free.Addr().String()
	require.NoError(t, free.Close())
	require.EqualError(t, check(dial(t, never)), strings.ReplaceAll(err.Error(), addr, never), "no server has ever been there")
	endStream()
	require.NoError(t, <-served)
}
