package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/07-production/shared-log/internal/fleet"
)

// An experiment is a fleet, three followers, a publisher, and what the
// followers noticed of the kills.
type experiment struct {
	fleet     *fleet.Fleet
	log       *sharedlog.Log
	followers [3]*fleet.Follower
	failed    chan error // of the publisher or a follower

	lines int // in the log
	rows  []row
}

// A row is what all kills of one kind have cost.
type row struct {
	name     string
	kills    int
	silences []time.Duration // of each follower, at each kill
}

// run kills processes while the followers follow the log.
func (e *experiment) run(ctx context.Context) error {
	running, cancel := context.WithCancel(ctx)
	publishing, stop := context.WithCancel(running)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	defer stop()
	for i := range e.followers {
		conn, err := fleet.Dial(e.fleet.Addrs)
		if err != nil {
			return err
		}
		defer conn.Close()
		f := &fleet.Follower{}
		e.followers[i] = f
		group.Go(func() {
			if err := f.Run(running, logsv1.NewLogServiceClient(conn)); err != nil {
				e.failed <- fmt.Errorf("follower %d: %w", i, err)
			}
		})
	}
	published := make(chan struct{})
	group.Go(func() {
		defer close(published)
		var err error
		if e.lines, err = sharedlog.Generate(publishing, e.log, 0, *interval); err != nil {
			e.failed <- fmt.Errorf("publisher: %w", err)
		}
	})
	if err := e.kills(ctx); err != nil {
		return err
	}
	stop()
	<-published
	return e.await(ctx, func(f *fleet.Follower) bool { return f.Counts().Received >= e.lines })
}

// kills kills the servers in turn, then the nodes, then all nodes at once.
func (e *experiment) kills(ctx context.Context) error {
	n := 0 // of kills
	server := func(string) []*fleet.Process {
		n++
		return e.fleet.Servers[n%3 : n%3+1]
	}
	leading := func(leader string) []*fleet.Process {
		i := slices.IndexFunc(e.fleet.Nodes, func(p *fleet.Process) bool { return p.Name == leader })
		return e.fleet.Nodes[i : i+1]
	}
	another := func(leader string) []*fleet.Process {
		n++
		others := slices.DeleteFunc(slices.Clone(e.fleet.Nodes), func(p *fleet.Process) bool { return p.Name == leader })
		return others[n%2 : n%2+1]
	}
	all3 := func(string) []*fleet.Process { return e.fleet.Nodes }
	for _, kind := range []struct {
		name   string
		times  int
		choose func(leader string) []*fleet.Process
	}{
		{"a server", *servers, server},
		{"the node that leads the log", *nodes / 2, leading},
		{"another node", *nodes - *nodes/2, another},
		{"all three nodes at once", *all, all3},
	} {
		r := row{name: kind.name}
		for ; r.kills < kind.times; r.kills++ {
			leader, err := e.recovered(ctx)
			if err != nil {
				return err
			}
			silences, err := e.kill(ctx, kind.choose(leader))
			if err != nil {
				return err
			}
			r.silences = append(r.silences, silences...)
		}
		e.rows = append(e.rows, r)
	}
	_, err := e.recovered(ctx)
	return err
}

// recovered waits until all servers serve and all nodes are up to date, and
// for the pause. It returns the node that leads the log.
func (e *experiment) recovered(ctx context.Context) (leader string, err error) {
	if err := e.fleet.AwaitServers(ctx, true); err != nil {
		return "", err
	}
	if err := sleep(ctx, *pause); err != nil {
		return "", err
	}
	for {
		if leader, err = e.log.Leader(ctx); err == nil {
			return leader, nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// kill kills processes, starts them again, and returns the longest silence
// of each follower until it has received 100 entries more.
func (e *experiment) kill(ctx context.Context, processes []*fleet.Process) (silences []time.Duration, err error) {
	goals := map[*fleet.Follower]int{}
	for _, f := range e.followers {
		f.Silence() // what was before does not count
		goals[f] = f.Counts().Received + 100
	}
	for _, p := range processes {
		err = errors.Join(err, p.Kill())
	}
	err = errors.Join(err, sleep(ctx, down))
	for _, p := range processes {
		err = errors.Join(err, p.Start(ctx))
	}
	err = errors.Join(err, e.await(ctx, func(f *fleet.Follower) bool { return f.Counts().Received >= goals[f] }))
	for _, f := range e.followers {
		silences = append(silences, f.Silence())
	}
	return silences, err
}

// await waits until done is true for each follower.
func (e *experiment) await(ctx context.Context, done func(*fleet.Follower) bool) error {
	for _, f := range e.followers {
		for !done(f) {
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
			select {
			case err := <-e.failed:
				return err
			default:
			}
		}
	}
	return nil
}

// print prints what the followers have received, and how long they waited.
func (e *experiment) print() error {
	fmt.Printf("%s, %s/%s, %d CPUs; grpc-go %s, NATS %s; %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), grpc.Version, server.VERSION, time.Now().Format(time.DateOnly))
	fmt.Printf("a line each %v; kill -9, and a new start %v later\n\n", *interval, down)
	fmt.Printf("%-36s%s\n", "", "silence of a follower")
	fmt.Printf("%-28s%6s%10s%10s\n", "killed", "times", "median", "longest")
	for _, r := range e.rows {
		if r.kills > 0 {
			slices.Sort(r.silences)
			n := len(r.silences)
			median := (r.silences[(n-1)/2] + r.silences[n/2]) / 2
			fmt.Printf("%-28s%6d%8.2f s%8.2f s\n", r.name, r.kills, median.Seconds(), r.silences[n-1].Seconds())
		}
	}
	var sum fleet.Counts
	for _, f := range e.followers {
		c := f.Counts()
		sum.Received += c.Received
		sum.Lost += c.Lost
		sum.Doubled += c.Doubled
		sum.Misplaced += c.Misplaced
	}
	fmt.Printf("\n%d lines, %d deliveries: %d lost, %d doubled, %d out of order\n",
		e.lines, sum.Received, sum.Lost, sum.Doubled, sum.Misplaced)
	if want := (fleet.Counts{Received: 3 * e.lines}); sum != want {
		return fmt.Errorf("the followers have %+v, want %+v", sum, want)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
