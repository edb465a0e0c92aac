// Command server offers UploadService of chapter 03 over TCP, and receives
// with fewer copies.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastupload"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener = cli.ServerFlags()
	dir      = flag.String("dir", "", "store files in this `directory` (default: a new temporary one)")
	maxBytes = flag.Int64("max-bytes", clientstream.DefaultMaxBytes, "refuse files of more than this many `bytes`")
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) }

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
		grpc.MaxRecvMsgSize(4<<20), // as upload.proto promises
		fastupload.ServerOption(),
	)
	server := new(fastupload.UploadServer)
	server.Root, server.MaxBytes = root, *maxBytes
	uploadv1.RegisterUploadServiceServer(s, server)
	return listener.Serve(ctx, s)
}
