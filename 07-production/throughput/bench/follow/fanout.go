package follow

import (
	"fmt"
	"time"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/fastlog"
)

const op = "one entry delivered to one follower; each has a connection of its own, except where the name says 100 streams"

// A way is how a server sends, and how its followers receive.
type way struct {
	name   string
	server string // one of servers
	join   joiner
	tls    bool
}

var ways = []way{
	{name: "loop-of-send", server: "loop", join: grpcFollowers(single, 1)},
	{name: "channel-each", server: "channels", join: grpcFollowers(single, 1)},
	{name: "channel-each-encoded-once", server: "channels-prepared", join: grpcFollowers(single, 1)},
	{name: "log", server: "log", join: grpcFollowers(single, 1)},
	{name: "log-encoded-once", server: "fastlog", join: grpcFollowers(single, 1)},
	{name: "log-batches", server: "fastlog", join: grpcFollowers(fastlog.NewClient, 1)},
	{name: "log-batches-100-streams", server: "fastlog", join: grpcFollowers(fastlog.NewClient, 100)},
	{name: "sse", server: "sse", join: sseFollowers},
	{name: "websocket-coder", server: "websocket-coder", join: coderFollowers},
	{name: "websocket-gorilla", server: "websocket-gorilla", join: gorillaFollowers},
	{name: "connect", server: "connect", join: connectFollowers},
}

// withTLS has each of the main ways twice.
var withTLS = []way{
	{name: "log", server: "log", join: grpcFollowers(single, 1)},
	{name: "log-tls", server: "log", join: grpcFollowers(single, 1), tls: true},
	{name: "log-batches", server: "fastlog", join: grpcFollowers(fastlog.NewClient, 1)},
	{name: "log-batches-tls", server: "fastlog", join: grpcFollowers(fastlog.NewClient, 1), tls: true},
	{name: "sse", server: "sse", join: sseFollowers},
	{name: "sse-tls", server: "sse", join: sseFollowers, tls: true},
}

// burst publishes as fast as it can, and waits until each follower has all.
func burst(followers, messages int) harness.Comparison {
	return compare(harness.Comparison{
		Name:   fmt.Sprintf("fanout-%d", followers),
		Title:  fmt.Sprintf("A burst to %d followers", followers),
		Op:     op,
		Unit:   "ns/op",
		N:      followers * messages,
		ShortN: 60, // to 20 followers
	}, ways, followers, 0)
}

func burstTLS() harness.Comparison {
	const followers = 1000
	return compare(harness.Comparison{
		Name:   "fanout-1000-tls",
		Title:  "A burst to 1000 followers, with and without TLS",
		Op:     op,
		Unit:   "ns/op",
		N:      followers * 200,
		ShortN: 60,
	}, withTLS, followers, 0)
}

// paced publishes 100 messages a second. All ways need the same time, so the
// time of the CPUs is compared, of the server and of the followers.
func paced() harness.Comparison {
	const followers = 500 // with 1000, both cores are always busy, in whatever way
	return compare(harness.Comparison{
		Name:   "fanout-paced",
		Title:  "100 entries a second to 500 followers",
		Op:     op,
		Unit:   "cpu-ns/op",
		N:      followers * 200,
		ShortN: 60,
	}, ways, followers, 10*time.Millisecond)
}

func compare(c harness.Comparison, ways []way, followers int, pace time.Duration) harness.Comparison {
	for _, w := range ways {
		c.Contenders = append(c.Contenders, harness.Contender{Name: w.name, Start: func(r *harness.Run) (harness.Do, error) {
			if r.Short {
				return w.start(r, 20, pace)
			}
			return w.start(r, followers, pace)
		}})
	}
	return c
}

// serve starts the server of a way, in a process of its own.
func (w way) serve(r *harness.Run) (*harness.Process, network, error) {
	name := "follow-" + w.server
	if w.tls {
		name += tlsSuffix
	}
	server, err := r.StartServer(name)
	if err != nil {
		return nil, network{}, err
	}
	n := network{addr: server.Addr}
	if w.tls {
		n.tls, err = trust(server)
	}
	return server, n, err
}

// start waits until all followers have received one entry. Do delivers n
// entries, the same number to each follower.
func (w way) start(r *harness.Run, followers int, pace time.Duration) (harness.Do, error) {
	server, n, err := w.serve(r)
	if err != nil {
		return nil, err
	}
	t := newTally(followers)
	t.join(r, w.join, n)
	if err := t.await(r.Context); err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		messages := max(1, n/followers)
		t.expect(messages * followers)
		if err := publish(server, request{Messages: messages, Pace: pace}); err != nil {
			return nil, err
		}
		return nil, t.await(r.Context)
	}, nil
}
