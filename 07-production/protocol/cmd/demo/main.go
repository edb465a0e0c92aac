// Command demo shows what a naive stream of work loses, and what a protocol
// with a status for each item, credits, versions and offsets does instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/07-production/protocol"
	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver"
)

func main() { os.Exit(cli.Main("demo", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	for _, act := range []struct {
		title string
		show  func(context.Context) error
	}{
		{"1. The naive stream: an error of item 3", naive},
		{"2. A status for each item", inBand},
		{"3. How many of 200 items run at the same time", underWay},
		{"4. A client of last year", version},
		{"5. An upload that breaks, and resumes", upload},
	} {
		fmt.Println(act.title)
		if err := errors.Join(act.show(ctx), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// inputs of the first two acts.
var inputs = []string{"900ms", "600ms", "soon", "300ms"}

func naive(ctx context.Context) error {
	client, stop, err := serve(&protocol.NaiveServer{Run: new(job).run})
	if err != nil {
		return err
	}
	defer stop()
	outputs, err := protocol.NaiveWork(ctx, client, inputs)
	fmt.Printf("   %d outputs of %d; %s\n", len(outputs), len(inputs), cli.Describe(err))
	return nil
}

func inBand(ctx context.Context) error {
	client, stop, err := serve(&protocol.Server{Run: new(job).run})
	if err != nil {
		return err
	}
	defer stop()
	for r, err := range protocol.Work(ctx, client, slices.Values(inputs)) {
		switch {
		case err != nil:
			return err
		case r.Err != nil:
			fmt.Printf("   item %d: %s\n", r.Item, cli.Describe(r.Err))
		default:
			fmt.Printf("   item %d: %s\n", r.Item, r.Output)
		}
	}
	return nil
}

func underWay(ctx context.Context) error {
	var naive, credits job
	client, stop, err := serve(&protocol.NaiveServer{Run: naive.run})
	if err != nil {
		return err
	}
	defer stop()
	if _, err := protocol.NaiveWork(ctx, client, slices.Repeat([]string{"2s"}, 200)); err != nil {
		return err
	}
	fmt.Printf("   naive: %d\n", naive.most)

	client, stop, err = serve(&protocol.Server{Run: credits.run})
	if err != nil {
		return err
	}
	defer stop()
	for _, err := range protocol.Work(ctx, client, slices.Values(slices.Repeat([]string{"10ms"}, 200))) {
		if err != nil {
			return err
		}
	}
	fmt.Printf("   with credits: %d\n", credits.most)
	return nil
}

// serve serves srv in memory.
func serve(srv jobsv1.JobServiceServer) (client jobsv1.JobServiceClient, stop func(), err error) {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		jobsv1.RegisterJobServiceServer(s, srv)
	})
	return jobsv1.NewJobServiceClient(conn), stop, err
}

// A job counts how many items run.
type job struct {
	mu            sync.Mutex
	running, most int
}

func (j *job) add(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running += n
	j.most = max(j.most, j.running)
}

// run takes as long as the input says. Another input is an error at once.
func (j *job) run(ctx context.Context, input string) (string, error) {
	j.add(1)
	defer j.add(-1)
	d, err := time.ParseDuration(input)
	if err != nil {
		return "", fmt.Errorf("input: must be a duration, got %q", input)
	}
	select {
	case <-time.After(d):
		return "slept " + input, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
