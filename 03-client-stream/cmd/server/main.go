// Command server offers UploadService over TCP.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener = cli.ServerFlags()
	dir      = flag.String("dir", "", "store files in this `directory` (default: a new temporary one)")
	maxBytes = flag.Int64("max-bytes", clientstream.DefaultMaxBytes, "refuse files of more than this many `bytes`")
)

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	if *maxBytes < 1 {
		return cli.Usagef("-max-bytes: must be at least 1, got %d", *maxBytes)
	}
	if *dir == "" {
		temporary, err := os.MkdirTemp("", "uploads-")
		if err != nil {
			return err
		}
		defer os.Remove(temporary) // fails if the directory holds a file
		*dir = temporary
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	defer root.Close()
	listener.OnListen = func() { fmt.Fprintf(os.Stderr, "server: storing files in %s\n", *dir) }
	s := serve.New(
		grpc.MaxRecvMsgSize(4<<20),         // as upload.proto promises
		grpc.StaticStreamWindowSize(1<<20), // 50 MB/s if a round trip takes 20 ms
		grpc.StaticConnWindowSize(8<<20),
	)
	uploadv1.RegisterUploadServiceServer(s, &clientstream.UploadServer{Root: root, MaxBytes: *maxBytes})
	return listener.Serve(ctx, s)
}
