// Command append appends lines to a log that is kept in an engine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/internal/cli"
)

var (
	urls     = flag.String("nats", "nats://localhost:4222", "the `URLs` of the engine's nodes, separated by commas")
	nodes    = flag.Int("nodes", 1, "keep the log on this many `nodes`: 1, 3 or 5")
	count    = flag.Int("n", 0, "stop after this many `lines` (default: never)")
	interval = flag.Duration("every", 250*time.Millisecond, "append a line in this `interval`")
)

func main() { os.Exit(cli.Main("append [flags]", run)) }

func run(ctx context.Context) error {
	switch {
	case *count < 0:
		return cli.Usagef("-n: must be at least 0, got %d", *count)
	case *interval <= 0:
		return cli.Usagef("-every: must be greater than 0, got %v", *interval)
	}
	if err := cli.NoArgs(); err != nil {
		return err
	}
	nc, err := sharedlog.Connect(*urls)
	if err != nil {
		return err
	}
	defer nc.Close()
	log, err := sharedlog.NewLog(nc, sharedlog.Config{Nodes: *nodes})
	if err != nil {
		return cli.Usagef("-%v", err)
	}
	waiting := time.AfterFunc(5*time.Second, func() { fmt.Fprintln(os.Stderr, "append: waiting for the engine") })
	err = log.Open(ctx)
	waiting.Stop()
	if err != nil {
		return err
	}
	n, err := sharedlog.Generate(ctx, log, *count, *interval)
	if err != nil {
		fmt.Fprintf(os.Stderr, "append: %d lines are in the log, and perhaps one more\n", n)
		return err
	}
	fmt.Fprintf(os.Stderr, "append: %d lines are in the log\n", n)
	return ctx.Err()
}
