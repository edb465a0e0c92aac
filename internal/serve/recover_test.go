package serve_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
	"example.com/streams/internal/testproc"
)

// In a process of its own, because a panic that is not recovered ends it.
func TestPanic_EndsOneCallAndIsLogged(t *testing.T) {
	p := testproc.Self(t, func() int {
		_, conn := start(t, func(grpc.ServerStream) error { panic("the secret is 42") })
		stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Stream")
		require.NoError(t, err)
		fmt.Println(end(stream))
		fmt.Println(healthOf(t, conn))
		return 0
	}, nil)
	exit, stdout, stderr := p.Wait()
	require.Equal(t, "rpc error: code = Internal desc = internal error\nSERVING\n", stdout, stderr)
	require.Equal(t, 0, exit)
	require.Contains(t, stderr, `ERROR panic in a handler method=/any/Stream panic="the secret is 42" stack="goroutine `)
	require.Contains(t, stderr, "recover_test.go", "the stack leads to the handler")
}

func TestPanic_OfAChainedInterceptorIsRecovered(t *testing.T) {
	exit, stdout, stderr := panicIn(t, grpc.ChainUnaryInterceptor).Wait()
	require.Equal(t, "rpc error: code = Internal desc = internal error\n", stdout, stderr)
	require.Equal(t, 0, exit)
	require.Contains(t, stderr, `method=/grpc.health.v1.Health/Check panic="in an interceptor"`)
}

func TestPanic_OfAnotherInterceptorEndsTheProcess(t *testing.T) {
	exit, stdout, stderr := panicIn(t, func(is ...grpc.UnaryServerInterceptor) grpc.ServerOption {
		return grpc.UnaryInterceptor(is[0])
	}).Wait()
	require.Empty(t, stdout)
	require.Equal(t, 2, exit)
	require.Contains(t, stderr, "panic: in an interceptor")
}

func TestPanic_OfAStreamInterceptorIsTheSame(t *testing.T) {
	interceptor := func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		panic("in an interceptor")
	}
	for want, option := range map[int]grpc.ServerOption{
		0: grpc.ChainStreamInterceptor(interceptor), 2: grpc.StreamInterceptor(interceptor),
	} {
		t.Run(fmt.Sprintf("exit status %d", want), func(t *testing.T) {
			exit, _, stderr := testproc.Self(t, func() int {
				conn := servetest.Start(t, serve.New(option)).Dial(t)
				watch, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
				require.NoError(t, err)
				_, err = watch.Recv()
				require.ErrorContains(t, err, "code = Internal desc = internal error")
				return 0
			}, nil).Wait()
			require.Equal(t, want, exit, stderr)
		})
	}
}

// panicIn calls a server whose interceptor panics, and prints the error.
func panicIn(t *testing.T, option func(...grpc.UnaryServerInterceptor) grpc.ServerOption) *testproc.Process {
	return testproc.Self(t, func() int {
		conn := servetest.Start(t, serve.New(option(func(
			context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler,
		) (any, error) {
			panic("in an interceptor")
		}))).Dial(t)
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
		fmt.Println(err)
		return 0
	}, nil)
}
