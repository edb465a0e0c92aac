package client

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/command/commandtest"
)

var service = flag.String("service", "", "check this `service`")

// TestMain lets the tests run these clients as commands.
func TestMain(m *testing.M) {
	os.Exit(commandtest.Run(m, map[string]func() int{
		"check": func() int { return Main(embed, check) },
		"watch": func() int { return Main(embed, watch) },
		"abort": func() int { return Main(embed, check, grpc.WithUnaryInterceptor(abort)) },
	}))
}

func embed(_ context.Context, s grpc.ServiceRegistrar) {
	healthv1.RegisterHealthServer(s, health.NewServer())
}

// check asks once.
func check(ctx context.Context, conn *grpc.ClientConn) error {
	reply, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: *service})
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	fmt.Println(reply.GetStatus())
	return nil
}

func abort(context.Context, string, any, any, *grpc.ClientConn, grpc.UnaryInvoker, ...grpc.CallOption) error {
	return status.Error(codes.Aborted, "intercepted")
}

// watch prints what a stream brings, until it ends.
func watch(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := healthv1.NewHealthClient(conn).Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		fmt.Println(reply.GetStatus())
	}
}
