// Command server is the exchange: it publishes ticks over TCP.
package main

import (
	"context"
	"flag"
	"os"
	"time"

	"google.golang.org/grpc"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener  = cli.ServerFlags()
	seed      = flag.Uint64("seed", 0, "the `seed` of all prices")
	interval  = flag.Duration("interval", time.Second, "the time between two ticks")
	retention = flag.Uint64("retention", 3600, "how many of the newest `ticks` a client may ask for when it resumes")
)

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	switch {
	case *interval < time.Millisecond:
		return cli.Usagef("-interval: must be at least 1ms, got %v", *interval)
	case *retention < 1:
		return cli.Usagef("-retention: must be at least 1, got %d", *retention)
	}
	// A gateway has one connection, which carries the calls of all its watchers.
	s := serve.New(append(cancellation.ServerOptions(), grpc.MaxConcurrentStreams(1000))...)
	x := &cancellation.Exchange{Seed: *seed, Interval: *interval, Retention: *retention}
	tickerv1.RegisterTickerServiceServer(s, x)
	s.OnDrain = x.Drain
	return listener.Serve(ctx, s)
}
