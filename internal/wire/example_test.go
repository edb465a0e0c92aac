package wire_test

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/internal/wire"
)

// This example prints a unary call at the client's end.
func ExampleTap_Dialer() {
	lis := bufconn.Listen(1 << 16)
	s := grpc.NewServer()
	healthv1.RegisterHealthServer(s, health.NewServer())
	go s.Serve(lis) //nolint:errcheck // nil after Stop
	defer s.Stop()

	tap := wire.New(untimed{})
	tap.StreamsOnly = true
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
	conn, err := grpc.NewClient("passthrough:///example",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(tap.Dialer(dial)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_, err = healthv1.NewHealthClient(conn).Check(context.Background(), &healthv1.HealthCheckRequest{Service: "coffee"})
	fmt.Println(err)
	// Output:
	// C->S HEADERS    stream=1   len=68    :path=/grpc.health.v1.Health/Check
	// C->S DATA       stream=1   len=13    END_STREAM message=8B
	// S->C HEADERS    stream=1   len=49    END_STREAM :status=200 grpc-status=5 grpc-message="unknown service"
	// rpc error: code = NotFound desc = unknown service
}

// untimed prints lines without their first column, which differs in each run.
type untimed struct{}

func (untimed) Write(p []byte) (int, error) {
	return os.Stdout.WriteString(string([]rune(string(p))[9:]))
}
