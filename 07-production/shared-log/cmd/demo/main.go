// Command demo runs three replicas of a log, and three followers, and kills
// a replica every 2 s. It ends by itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"example.com/streams/internal/cli"
)

var (
	urls  = flag.String("nats", "", "the `URLs` of the engine's nodes, separated by commas (default: the demo starts the nodes)")
	nodes = flag.Int("nodes", 1, "keep the log on this many `nodes`: 1, which is in this process, or 3, which are processes")
	kills = flag.Int("n", 6, "end after this many `kills`")
)

func main() { os.Exit(cli.Main("demo [flags]", run)) }

func run(ctx context.Context) error {
	switch {
	case *nodes != 1 && *nodes != 3:
		return cli.Usagef("-nodes: must be 1 or 3, got %d", *nodes)
	case *kills < 0:
		return cli.Usagef("-n: must be at least 0, got %d", *kills)
	}
	if err := cli.NoArgs(); err != nil {
		return err
	}
	start := time.Now()
	e, err := startEngine(ctx)
	if err != nil {
		return err
	}
	d, err := newDemo(ctx, e)
	if err != nil {
		return errors.Join(err, e.close())
	}
	return errors.Join(d.show(ctx, start), d.close(), e.close())
}

// show kills a replica every 2 s, starts it again a second later, and prints
// a row after each of these.
func (d *demo) show(ctx context.Context, start time.Time) error {
	first, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.await(first, 1); err != nil {
		return fmt.Errorf("the first entry: %w", err)
	}
	fmt.Printf("%-8s%-14s%-18s%s\n", "", "", "streams on", "entries of")
	fmt.Printf("%-8s%-14s%6s%6s%6s%6s%6s%6s\n", "", "", "a", "b", "c", "ann", "bob", "cid")
	d.print(start, "first entry")
	for i := range *kills {
		if err := pause(ctx); err != nil {
			return err
		}
		r := d.replicas[i%len(d.replicas)]
		r.kill()
		d.print(start, r.name+" is killed")
		if err := pause(ctx); err != nil {
			return err
		}
		r.serve()
		d.print(start, r.name+" is back")
	}
	lines, err := d.endPublisher()
	if err != nil {
		return err
	}
	if err := d.await(ctx, lines); err != nil {
		return err
	}
	d.print(start, "the end")
	return d.check(lines)
}

// pause waits for a second.
func pause(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *demo) print(start time.Time, event string) {
	fmt.Printf("%5.1f s %-14s", time.Since(start).Seconds(), event)
	for _, r := range d.replicas {
		fmt.Printf("%6d", r.streams.Load())
	}
	for _, f := range d.followers {
		fmt.Printf("%6d", f.Counts().Received)
	}
	fmt.Println()
}
