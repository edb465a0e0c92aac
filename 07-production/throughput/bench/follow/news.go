package follow

import (
	"slices"
	"strconv"
	"time"

	"example.com/streams/07-production/throughput/bench/harness"
)

// newsWays are ways for one follower to learn of a line.
var newsWays = []way{
	{name: "stream", server: "log", join: grpcFollowers(single, 1)},
	{name: "sse", server: "sse", join: sseFollowers},
	{name: "websocket-coder", server: "websocket-coder", join: coderFollowers},
	{name: "websocket-gorilla", server: "websocket-gorilla", join: gorillaFollowers},
	{name: "connect", server: "connect", join: connectFollowers},
	{name: "long-poll", server: "poll", join: pollFollowers(0)},
	{name: "poll-20ms", server: "poll", join: pollFollowers(20 * time.Millisecond)},
	{name: "poll-100ms", server: "poll", join: pollFollowers(100 * time.Millisecond)},
}

// news publishes a line each 20 ms on average, at random times, and measures
// how long it takes until the follower has decoded the line.
func news() harness.Comparison {
	c := harness.Comparison{
		Name:   "news",
		Title:  "From a line to its follower",
		Op:     "one line of " + strconv.Itoa(len(line)) + " bytes, on average 20 ms after the one before; p50-ns and p99-ns are the time from the server's log to the decoded line",
		Unit:   "p50-ns",
		N:      200,
		ShortN: 5,
	}
	for _, w := range newsWays {
		c.Contenders = append(c.Contenders, harness.Contender{Name: w.name, Start: w.startNews})
	}
	return c
}

func (w way) startNews(r *harness.Run) (harness.Do, error) {
	server, n, err := w.serve(r)
	if err != nil {
		return nil, err
	}
	t := newTally(1)
	var took []time.Duration
	t.followers[0].arrived = func(published time.Time) { took = append(took, time.Since(published)) }
	traffic := new(traffic)
	n.traffic = traffic
	t.join(r, w.join, n)
	if err := t.await(r.Context); err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		took = took[:0] // the follower waits
		bytes, calls := traffic.bytes.Load(), traffic.calls.Load()
		t.expect(n)
		if err := publish(server, request{Messages: n, Pace: 20 * time.Millisecond, Random: true}); err != nil {
			return nil, err
		}
		if err := t.await(r.Context); err != nil {
			return nil, err
		}
		slices.Sort(took)
		perLine := func(count int64) float64 { return float64(count) / float64(n) }
		return []harness.Metric{
			{Unit: "p50-ns", Value: float64(took[len(took)/2])},
			{Unit: "p99-ns", Value: float64(took[len(took)*99/100])},
			{Unit: "wire-B/line", Value: perLine(traffic.bytes.Load() - bytes)},
			{Unit: "calls/line", Value: perLine(traffic.calls.Load() - calls)},
		}, nil
	}, nil
}
