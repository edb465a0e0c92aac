package unary_test

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/bufnet/embedded"
)

func ExampleLines() {
	client, stop := connect()
	defer stop()

	lines, err := unary.Lines(context.Background(), client, 3)
	if err != nil {
		fmt.Println(err)
	}
	for _, line := range lines {
		fmt.Printf("%s\n", line)
	}
	// Output:
	// 09:01:22 INFO  payments GET /search?q=lamp 200 68ms
	// 09:01:23 INFO  search   GET /cart 200 49ms
	// 09:01:23 INFO  checkout POST /orders 201 69ms
}

func ExampleLines_refused() {
	client, stop := connect()
	defer stop()

	_, err := unary.Lines(context.Background(), client, 0)
	fmt.Println(status.Code(err) == codes.InvalidArgument)
	fmt.Println(status.Convert(err).Message())
	// Output:
	// true
	// lines: must be at least 1, got 0
}

// connect serves the sample log, in memory.
func connect() (snapshotv1.SnapshotServiceClient, func()) {
	server := embedded.Serve(func(s grpc.ServiceRegistrar) {
		snapshotv1.RegisterSnapshotServiceServer(s, &unary.SnapshotServer{
			FS: unary.Sample, Name: unary.SampleName,
		})
	})
	conn, err := server.NewClient()
	if err != nil {
		panic(err)
	}
	return snapshotv1.NewSnapshotServiceClient(conn), func() {
		conn.Close()
		_ = server.Close()
	}
}
