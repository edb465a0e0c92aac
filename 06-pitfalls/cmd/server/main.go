// Command server offers the handlers of every pitfall over TCP.
package main

import (
	"context"
	"os"

	pitfalls "example.com/streams/06-pitfalls"
	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/serve"
)

func main() { os.Exit(serve.Main(run)) }

func run(ctx context.Context, s *serve.Server) error {
	pitfallsv1.RegisterPitfallServiceServer(s, play.NewServer(pitfalls.Catalogue))
	return s.Run(ctx)
}
