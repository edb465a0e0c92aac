package follow

import (
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/fastlog"
)

var idleWays = []way{
	{name: "stream", server: "log", join: grpcFollowers(single, 1)},
	{name: "stream-batches", server: "fastlog", join: grpcFollowers(fastlog.NewClient, 1)},
	{name: "stream-100-on-a-connection", server: "log", join: grpcFollowers(single, 100)},
	{name: "sse", server: "sse", join: sseFollowers},
	{name: "websocket-coder", server: "websocket-coder", join: coderFollowers},
	{name: "websocket-gorilla", server: "websocket-gorilla", join: gorillaFollowers},
	{name: "connect", server: "connect", join: connectFollowers},
}

// idle measures what the server holds for followers that wait.
func idle() harness.Comparison {
	c := harness.Comparison{
		Name:   "idle",
		Title:  "Memory of a server for a follower that waits",
		Op:     "one follower that waits for the next entry; the heap and the stacks of the server's process",
		Unit:   "B/follower",
		N:      1000,
		ShortN: 100,
	}
	for _, w := range idleWays {
		c.Contenders = append(c.Contenders, harness.Contender{Name: w.name, Start: w.startIdle})
	}
	return c
}

func (w way) startIdle(r *harness.Run) (harness.Do, error) {
	server, err := r.StartServer("follow-" + w.server)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		before, err := server.Usage(true)
		if err != nil {
			return nil, err
		}
		t := newTally(n)
		t.join(r, w.join, network{addr: server.Addr})
		if err := t.await(r.Context); err != nil {
			return nil, err
		}
		after, err := server.Usage(true)
		if err != nil {
			return nil, err
		}
		return []harness.Metric{
			{Unit: "B/follower", Value: (float64(after.Heap) - float64(before.Heap)) / float64(n)},
			{Unit: "goroutines/follower", Value: float64(after.Goroutines-before.Goroutines) / float64(n)},
		}, nil
	}, nil
}
