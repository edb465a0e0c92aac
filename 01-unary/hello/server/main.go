// Command server is a small gRPC server.
package main

import (
	"context"
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

var lines = [][]byte{[]byte("GET /cart 200"), []byte("POST /orders 201")}

type server struct {
	snapshotv1.UnimplementedSnapshotServiceServer
}

func (server) GetSnapshot(
	_ context.Context, req *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	n := min(max(int(req.GetLines()), 0), len(lines))
	return &snapshotv1.Snapshot{Lines: lines[len(lines)-n:]}, nil
}

func main() {
	addr := flag.String("addr", "localhost:50051", "listen on `host:port`")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	snapshotv1.RegisterSnapshotServiceServer(s, server{})
	log.Printf("server: listening on %v", listener.Addr())
	log.Fatal(s.Serve(listener)) // Serve returns only if it fails
}
