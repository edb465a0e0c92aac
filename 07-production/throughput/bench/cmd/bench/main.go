// Command bench measures streams beside their peers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/streams/07-production/throughput/bench"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/internal/cli"
)

var (
	list    = flag.Bool("list", false, "print the names of the comparisons")
	short   = flag.Bool("short", false, "only check that each contender works")
	rounds  = flag.Int("rounds", 7, "samples of each contender")
	sample  = flag.Duration("sample", 500*time.Millisecond, "time of a sample, where the work has no size of its own")
	quiet   = flag.Duration("quiet", 2*time.Second, "longest wait for a quiet machine before a sample")
	retries = flag.Int("retries", 2, "how often at most a disturbed sample is repeated")
	out     = flag.String("out", "", "folder for NAME.txt and NAME.svg; none if empty")
)

func main() {
	if served, err := harness.Serve(bench.StartServer); served {
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: server: %s\n", cli.Describe(err))
			os.Exit(1)
		}
		return
	}
	os.Exit(cli.Main("bench [flags] [NAME...]", run))
}

func run(ctx context.Context) error {
	if *rounds < 1 {
		return cli.Usagef("-rounds: must be at least 1, got %d", *rounds)
	}
	if *sample <= 0 {
		return cli.Usagef("-sample: must be above 0, got %v", *sample)
	}
	chosen, err := choose(bench.Comparisons(), flag.Args())
	if err != nil {
		return err
	}
	for _, c := range chosen {
		if *list {
			fmt.Println(c.Name)
		} else if err := measure(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the comparisons with these names, or all of them if there
// is no name. A name such as message stands for all that begin with message-,
// unless a comparison has just this name.
func choose(all []harness.Comparison, names []string) (chosen []harness.Comparison, err error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		var exact, group []harness.Comparison
		for _, c := range all {
			if c.Name == name {
				exact = append(exact, c)
			}
			if strings.HasPrefix(c.Name, name+"-") {
				group = append(group, c)
			}
		}
		if len(exact) > 0 {
			group = exact
		}
		if len(group) == 0 {
			return nil, cli.Usagef("NAME: must be one that -list prints, or its beginning, got %q", name)
		}
		chosen = append(chosen, group...)
	}
	return chosen, nil
}

func measure(ctx context.Context, c harness.Comparison) error {
	settings := harness.Settings(time.Now(), command())
	result, err := harness.Measure(ctx, c, harness.Options{
		Rounds: *rounds, Sample: *sample, Quiet: *quiet, Retries: *retries, Short: *short,
		Progress: func(round int) { fmt.Fprintf(os.Stderr, "%s: round %d\n", c.Name, round) },
	})
	if err != nil {
		return err
	}
	text := result.Text(settings)
	fmt.Println(text)
	if *out == "" || *short {
		return nil
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	file := filepath.Join(*out, c.Name)
	if err := os.WriteFile(file+".txt", []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(file+".svg", []byte(result.Plot(plotOf(c))), 0o644)
}

// plotOf returns what the plot of a comparison shows: the ratios of times,
// and everything else as it is.
func plotOf(c harness.Comparison) string {
	if c.Unit == "ns/op" || c.Unit == "cpu-ns/op" {
		return "ratio"
	}
	return c.Unit
}

// command returns the command that this process was started with.
func command() string {
	return strings.Join(append([]string{"go run ./cmd/bench"}, os.Args[1:]...), " ")
}
