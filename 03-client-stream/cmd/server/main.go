// Command server offers UploadService over TCP.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/command"
	"example.com/streams/internal/serve"
)

var (
	dir      = flag.String("dir", "", "the `directory` of the files (default: a new temporary one)")
	maxBytes = flag.Int64("max-bytes", clientstream.DefaultMaxBytes, "how many `bytes` a file may have")
)

func main() { os.Exit(serve.Main(run)) }

func run(ctx context.Context, s *serve.Server) error {
	if *maxBytes < 1 {
		return command.Usagef("-max-bytes %d is below 1", *maxBytes)
	}
	if *dir == "" {
		temporary, err := os.MkdirTemp("", "uploads-")
		if err != nil {
			return err
		}
		defer os.Remove(temporary) // does nothing once it holds a file
		*dir = temporary
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	defer root.Close()
	fmt.Fprintf(os.Stderr, "server: files go to %s\n", *dir)
	uploads := &clientstream.UploadServer{Root: root, MaxBytes: *maxBytes}
	uploadv1.RegisterUploadServiceServer(s, uploads)
	return s.Run(ctx)
}
