package unary_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver"
)

func ExampleLines() {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		snapshotv1.RegisterSnapshotServiceServer(s, &unary.SnapshotServer{
			FS: unary.Sample, Name: unary.SampleName,
		})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client := snapshotv1.NewSnapshotServiceClient(conn)
	lines, err := unary.Lines(ctx, client, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range lines {
		fmt.Printf("%s\n", line)
	}
	// Output:
	// 09:01:22 INFO  payments GET /search?q=lamp 200 68ms
	// 09:01:23 INFO  search   GET /cart 200 49ms
	// 09:01:23 INFO  checkout POST /orders 201 69ms
}
