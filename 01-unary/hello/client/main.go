// Command client is a small gRPC client.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

func main() {
	addr := flag.String("addr", "localhost:50051", "dial `host:port`")
	flag.Parse()
	conn, err := grpc.NewClient(*addr, // connects at the first call
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := snapshotv1.NewSnapshotServiceClient(conn) // the stub

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	snapshot, err := client.GetSnapshot(ctx, &snapshotv1.SnapshotRequest{Lines: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range snapshot.GetLines() {
		fmt.Printf("%q\n", line) // %q escapes control characters
	}
}
