// Command server serves the handlers of all demos over TCP.
package main

import (
	"context"
	"os"

	"google.golang.org/grpc"

	pitfalls "example.com/streams/06-pitfalls"
	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var listener = cli.ServerFlags()

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	// A stream can hold 10 MiB: a number of 5 MiB, and its encoding.
	s := serve.New(grpc.MaxConcurrentStreams(10))
	pitfallsv1.RegisterPitfallServiceServer(s, demo.NewServer(pitfalls.Demos))
	return listener.Serve(ctx, s)
}
