// Command server is a replica: it serves a log that is kept in an engine.
// Without -nats, the engine is a node in this process, and the server
// appends lines.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener  = cli.ServerFlags()
	urls      = flag.String("nats", "", "the `URLs` of the engine's nodes, separated by commas (default: a node in this process)")
	dir       = flag.String("dir", "", "without -nats: keep the log in this `directory` (default: a temporary one)")
	nodes     = flag.Int("nodes", 1, "with -nats: keep the log on this many `nodes`: 1, 3 or 5")
	retention = flag.Int("retention", 10_000, "hold this many `entries` of the log, and at most 64 MiB of text")
)

func main() { os.Exit(cli.Main("server [flags]", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	switch {
	case *urls == "" && *nodes != 1:
		return cli.Usagef("-nodes: must be 1 without -nats, got %d", *nodes)
	case *urls != "" && *dir != "":
		return cli.Usagef("-dir: must be empty with -nats, got %q", *dir)
	}
	nc, stop, err := connect()
	if err != nil {
		return err
	}
	defer stop()
	log, err := sharedlog.NewLog(nc, sharedlog.Config{Nodes: *nodes, Retention: *retention})
	if err != nil {
		return cli.Usagef("-%v", err)
	}

	s := serve.New()
	ready := make(chan struct{})
	once := sync.OnceFunc(func() { close(ready) })
	replica := &sharedlog.Replica{Log: log, OnServing: func(err error) {
		s.SetServing(err == nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, "server: not serving:", cli.Describe(err))
			return
		}
		once()
	}}
	s.OnDrain = replica.Drain
	logsv1.RegisterLogServiceServer(s, replica)

	// The replica reads the log until the server is drained.
	running, end := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer end()
	group.Go(func() { replica.Run(running) })
	if *urls == "" {
		group.Go(func() { _, _ = sharedlog.Generate(running, log, 0, 250*time.Millisecond) })
	}
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	return listener.Serve(ctx, s)
}

// connect connects to the engine. The caller calls stop.
func connect() (nc *nats.Conn, stop func(), err error) {
	if *urls != "" {
		nc, err = sharedlog.Connect(*urls)
		return nc, func() { nc.Close() }, err
	}
	kept, remove := *dir, func() {}
	if kept == "" {
		if kept, err = os.MkdirTemp("", "shared-log"); err != nil {
			return nil, nil, err
		}
		remove = func() { _ = os.RemoveAll(kept) } // it is temporary
	}
	node, err := sharedlog.StartNode(sharedlog.NodeConfig{Dir: kept})
	if err != nil {
		remove()
		return nil, nil, err
	}
	if nc, err = node.Connect(); err != nil {
		node.Close()
		remove()
		return nil, nil, err
	}
	return nc, func() { nc.Close(); node.Close(); remove() }, nil
}
