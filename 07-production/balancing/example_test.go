package balancing_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/internal/serve"
)

// serveLogs serves a log until ctx is done and the server is drained.
func serveLogs(ctx context.Context, listener net.Listener, log *logs.Log, lameDuck time.Duration) error {
	lifetime := balancing.NewLifetime(10 * time.Minute)
	s := serve.New(lifetime.ServerOptions()...)
	s.LameDuck = lameDuck
	s.Drain = 30 * time.Second
	s.OnDrain = lifetime.Drain
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	return s.ServeUntil(ctx, listener)
}

// A follower of a server that stops.
func ExampleLifetime() {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log := logs.NewLog(10)
	log.Append("line 1", false)
	served := make(chan error, 1)
	go func() { served <- serveLogs(ctx, listener, log, 50*time.Millisecond) }()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	client := logsv1.NewLogServiceClient(conn)
	for e, err := range logs.Tail(context.Background(), client, &logsv1.LogRequest{Follow: true}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(e.GetMessage())
		stop() // as SIGTERM does in a command
	}
	fmt.Println(<-served)
	// Output:
	// line 1
	// rpc error: code = Unavailable desc = shutting down; open the stream again
	// <nil>
}
