package follow

import (
	"context"
	"fmt"
	"time"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/fastlog"
)

// stalled publishes 200 entries of about 1 KiB a second to 99 followers. Another
// one does not read, except in the first row.
func stalled() harness.Comparison {
	c := harness.Comparison{
		Name:   "stalled",
		Title:  "99 followers beside one that does not read",
		Op:     "one entry of about 1 KiB, 5 ms after the one before; each delivery to one of the 99 that is missing at the end makes ns/delivery longer",
		Unit:   "ns/delivery",
		N:      800,
		ShortN: 30,
	}
	for _, row := range []struct {
		name, server string
		client       entries
		awake        bool
	}{
		{"log-and-nobody-stalls", "log", single, true},
		{"log", "log", single, false},
		{"log-batches", "fastlog", fastlog.NewClient, false},
		{"channel-each-that-drops", "channels-drop", single, false},
		{"channel-each", "channels", single, false},
		{"loop-of-send", "loop", single, false},
	} {
		c.Contenders = append(c.Contenders, harness.Contender{Name: row.name, Start: func(r *harness.Run) (harness.Do, error) {
			return func(n int) ([]harness.Metric, error) {
				// Each time a server of its own: the one before may be stuck.
				t, server, err := startStalled(r, row.server, row.client, row.awake)
				if err != nil {
					return nil, err
				}
				return t.deliveries(r, server, n)
			}, nil
		}})
	}
	return c
}

// startStalled starts a server with 99 followers and, unless all are awake,
// one that does not read.
func startStalled(r *harness.Run, name string, client entries, awake bool) (*tally, *harness.Process, error) {
	server, err := r.StartServer("follow-" + name)
	if err != nil {
		return nil, nil, err
	}
	if !awake {
		if err := stall(r, client, network{addr: server.Addr}); err != nil {
			return nil, nil, err
		}
	}
	t := newTally(99)
	for _, f := range t.followers {
		f.gaps = true
	}
	t.join(r, grpcFollowers(client, 1), network{addr: server.Addr})
	return t, server, t.await(r.Context)
}

// stall opens a stream, receives the first entry, and then does not read.
func stall(r *harness.Run, client entries, n network) error {
	ctx, cancel := context.WithCancel(r.Context)
	r.Defer(func() error { cancel(); return nil })
	conn, err := n.connect(ctx)
	if err != nil {
		return err
	}
	stream, err := client(conn).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// deliveries counts what arrives while n entries are published, and in a
// fifth of that time after it. A check waits longer, because it does not
// measure.
func (t *tally) deliveries(r *harness.Run, server *harness.Process, n int) ([]harness.Metric, error) {
	const pace = 5 * time.Millisecond
	window := time.Duration(n) * pace
	before := t.received.Load()
	t.expect(n * len(t.followers))
	if err := publish(server, request{Messages: n, Pace: pace, Padding: 1 << 10}); err != nil {
		return nil, err
	}
	patience := window / 5
	if r.Short {
		patience = 20 * time.Second
	}
	timeout := time.NewTimer(window + patience)
	defer timeout.Stop()
	select {
	case <-t.complete:
	case err := <-t.failed:
		return nil, err
	case <-timeout.C:
	case <-r.Context.Done():
		return nil, context.Cause(r.Context)
	}
	got := float64(t.received.Load()-before) / float64(len(t.followers))
	if got == 0 {
		return nil, fmt.Errorf("deliveries: must be above 0")
	}
	return []harness.Metric{
		{Unit: "ns/delivery", Value: float64(window) / got},
		{Unit: "delivered-%", Value: got / float64(n) * 100},
	}, nil
}

// stalledCost compares bursts to 99 followers alone, and beside one that does
// not read.
func stalledCost() harness.Comparison {
	c := harness.Comparison{
		Name:   "stalled-cost",
		Title:  "A burst to 99 followers, beside one that does not read",
		Op:     "one entry delivered to one of 99 followers of a log with batches",
		Unit:   "ns/op",
		N:      99 * 4000,
		ShortN: 99 * 3,
	}
	for _, row := range []struct {
		name  string
		awake bool
	}{{"alone", true}, {"beside-a-stalled-one", false}} {
		c.Contenders = append(c.Contenders, harness.Contender{Name: row.name, Start: func(r *harness.Run) (harness.Do, error) {
			t, server, err := startStalled(r, "fastlog", fastlog.NewClient, row.awake)
			if err != nil {
				return nil, err
			}
			return func(n int) ([]harness.Metric, error) {
				messages := max(1, n/len(t.followers))
				t.expect(messages * len(t.followers))
				if err := publish(server, request{Messages: messages}); err != nil {
					return nil, err
				}
				return nil, t.await(r.Context)
			}, nil
		}})
	}
	return c
}
