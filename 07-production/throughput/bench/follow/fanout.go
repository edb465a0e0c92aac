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
}

var ways = []way{
	{"loop-of-send", "loop", grpcFollowers(single, 1)},
	{"channel-each", "channels", grpcFollowers(single, 1)},
	{"channel-each-encoded-once", "channels-prepared", grpcFollowers(single, 1)},
	{"log", "log", grpcFollowers(single, 1)},
	{"log-encoded-once", "fastlog", grpcFollowers(single, 1)},
	{"log-batches", "fastlog", grpcFollowers(fastlog.NewClient, 1)},
	{"log-batches-100-streams", "fastlog", grpcFollowers(fastlog.NewClient, 100)},
	{"sse", "sse", sseFollowers},
	{"websocket-coder", "websocket-coder", coderFollowers},
	{"websocket-gorilla", "websocket-gorilla", gorillaFollowers},
	{"connect", "connect", connectFollowers},
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
	}, followers, 0)
}

// paced publishes 100 messages a second. All ways need the same time, so the
// time of the CPUs is compared, of the server and of the followers.
func paced() harness.Comparison {
	const followers = 1000
	return compare(harness.Comparison{
		Name:   "fanout-paced",
		Title:  "100 entries a second to 1000 followers",
		Op:     op,
		Unit:   "cpu-ns/op",
		N:      followers * 200,
		ShortN: 60,
	}, followers, 10*time.Millisecond)
}

func compare(c harness.Comparison, followers int, pace time.Duration) harness.Comparison {
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

// start waits until all followers have received one entry. Do delivers n
// entries, the same number to each follower.
func (w way) start(r *harness.Run, followers int, pace time.Duration) (harness.Do, error) {
	server, err := r.StartServer("follow-" + w.server)
	if err != nil {
		return nil, err
	}
	t := newTally(followers)
	t.join(r, w.join, network{addr: server.Addr})
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
