// Command fleet runs several servers and 120 clients in one process, and
// prints how many streams each server has while servers join and stop,
// and then ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
	"example.com/streams/internal/cli"
)

const clients = 120

var (
	policy = flag.String("policy", "shuffled", "pick_first, shuffled, round_robin or least_request: how a client `chooses`")
	age    = flag.Duration("age", 2*time.Second, "the maximum age of streams and connections; 0: no maximum")
)

var configs = map[string]string{
	"pick_first":    balancing.PickFirst,
	"shuffled":      balancing.Shuffled,
	"round_robin":   balancing.RoundRobin,
	"least_request": balancing.LeastRequest,
}

func main() { os.Exit(cli.Main("fleet [flags]", run)) }

func run(ctx context.Context) error {
	config, found := configs[*policy]
	switch {
	case !found:
		return cli.Usagef("-policy: must be pick_first, shuffled, round_robin or least_request, got %q", *policy)
	case *age < 0:
		return cli.Usagef("-age: must be at least 0, got %v", *age)
	}
	if err := cli.NoArgs(); err != nil {
		return err
	}
	f := &fleet.Fleet{MaxAge: *age, LameDuck: 300 * time.Millisecond}
	f.Start("a", "b")
	return errors.Join(show(ctx, f, config), f.Close())
}

// show takes the fleet through its steps. A step is over when every client
// has its stream on a server that goes on, or after some seconds.
func show(ctx context.Context, f *fleet.Fleet, config string) error {
	var entries int64
	// wait appends an entry each 10 ms until over returns true, or the limit
	// has passed.
	wait := func(limit time.Duration, over func() bool) error {
		start := time.Now()
		for time.Since(start) < limit && !over() {
			select {
			case <-time.After(10 * time.Millisecond):
				f.Log.Append("tick", false)
				entries++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}

	fmt.Printf("%-18s%6s%6s%6s%6s\n", "streams on", "a", "b", "c", "d")
	for _, step := range []struct {
		name  string
		do    func() error
		takes time.Duration
		goOn  []string
	}{
		{"120 clients", func() error { return f.Follow(config, clients, 1) }, 0, []string{"a", "b"}},
		{"c joins", func() error { f.Start("c"); return nil }, time.Second / 4, []string{"a", "b", "c"}},
		{"two ages later", func() error { return nil }, *age * 5 / 2, []string{"a", "b", "c"}},
		{"d joins, a stops", func() error { f.Start("d"); f.Signal("a"); return nil }, 0, []string{"b", "c", "d"}},
	} {
		all := func() bool { return sum(f.Streams(step.goOn...)) == clients }
		err := errors.Join(step.do(), wait(step.takes, func() bool { return false }), wait(5*time.Second, all))
		if err != nil {
			return err
		}
		fmt.Printf("%-18s", step.name)
		for _, n := range f.Streams(f.Names()...) {
			fmt.Printf("%6d", n)
		}
		fmt.Println()
	}
	return complete(ctx, f, clients*entries)
}

// complete waits until the followers have received n entries together. The
// followers themselves check that they miss none.
func complete(ctx context.Context, f *fleet.Fleet, n int64) error {
	limit := time.After(20 * time.Second)
	for f.Received() < n {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			return fmt.Errorf("%d of %d entries are missing", n-f.Received(), n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	fmt.Println("each client received every entry, and none twice")
	return nil
}

func sum(streams []int64) (n int64) {
	for _, s := range streams {
		n += s
	}
	return n
}
