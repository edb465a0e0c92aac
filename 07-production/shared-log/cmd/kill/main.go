// Command kill runs an engine of three nodes and three servers as processes,
// kills them with SIGKILL again and again while three clients follow the log,
// and prints what the clients have lost. By default, it takes about 5 minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/07-production/shared-log/internal/fleet"
	"example.com/streams/internal/cli"
)

var (
	servers  = flag.Int("servers", 20, "how many `times` a server is killed")
	nodes    = flag.Int("nodes", 20, "how many `times` a node is killed, half of them the one that leads the log")
	all      = flag.Int("all", 3, "how many `times` all nodes are killed at once")
	interval = flag.Duration("every", 10*time.Millisecond, "append a line in this `interval`")
	pause    = flag.Duration("pause", 2*time.Second, "the `time` between a recovery and the next kill")
)

// down is how long a process that was killed stays down.
const down = time.Second

func main() { os.Exit(cli.Main("kill [flags]", run)) }

func run(ctx context.Context) (err error) {
	switch {
	case *servers < 0 || *nodes < 0 || *all < 0:
		return cli.Usagef("-servers, -nodes and -all: must be at least 0, got %d, %d and %d", *servers, *nodes, *all)
	case *interval <= 0:
		return cli.Usagef("-every: must be greater than 0, got %v", *interval)
	case *pause < 0:
		return cli.Usagef("-pause: must be at least 0, got %v", *pause)
	}
	if err := cli.NoArgs(); err != nil {
		return err
	}
	bin, err := fleet.Build(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	dir, err := os.MkdirTemp("", "shared-log")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := fleet.Start(ctx, bin, dir, 3, 3)
	if err != nil {
		return err
	}
	defer func() {
		if ctx.Err() == nil { // otherwise they were killed
			err = errors.Join(err, f.Close())
		}
	}()
	nc, err := sharedlog.Connect(f.URLs)
	if err != nil {
		return err
	}
	defer nc.Close()
	log, err := sharedlog.NewLog(nc, sharedlog.Config{Nodes: 3})
	if err != nil {
		return err
	}
	if err := log.Open(ctx); err != nil {
		return err
	}
	e := &experiment{fleet: f, log: log, failed: make(chan error, 4)}
	if err := e.run(ctx); err != nil {
		return err
	}
	return e.print()
}
