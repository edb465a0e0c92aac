// Command fleet runs several servers and 120 clients in one process, and
// prints how many streams each server has while servers join and stop. It
// ends by itself after about 8 seconds.
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
// has its stream on a server that goes on. Meanwhile show appends an entry
// each 10 ms.
func show(ctx context.Context, f *fleet.Fleet, config string) error {
	if err := f.Follow(config, clients, 1); err != nil {
		return err
	}
	entries, appending := int64(0), true
	wait := func(over func() bool) error {
		limit := time.After(*age*10 + 20*time.Second)
		for !over() {
			select {
			case <-time.After(10 * time.Millisecond):
				if appending {
					f.Log.Append("tick", false)
					entries++
				}
			case <-limit:
				return errors.New("the clients do not all come back")
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}

	fmt.Printf("%-18s%6s%6s%6s%6s\n", "streams on", "a", "b", "c", "d")
	for _, step := range []struct {
		name  string
		do    func()
		takes time.Duration
		goOn  []string
	}{
		{"120 clients", func() {}, 0, []string{"a", "b"}},
		{"c joins", func() { f.Start("c") }, time.Second, []string{"a", "b", "c"}},
		{"two ages later", func() {}, *age * 5 / 2, []string{"a", "b", "c"}},
		{"d joins, a stops", func() { f.Start("d"); f.Signal("a") }, 0, []string{"b", "c", "d"}},
	} {
		step.do()
		start := time.Now()
		if err := wait(func() bool {
			return time.Since(start) >= step.takes && sum(f.Streams(step.goOn...)) == clients
		}); err != nil {
			return err
		}
		fmt.Printf("%-18s", step.name)
		for _, n := range f.Streams(f.Names()...) {
			fmt.Printf("%6d", n)
		}
		fmt.Println()
	}
	appending = false
	if err := wait(func() bool { return f.Received() == clients*entries }); err != nil {
		return err
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
