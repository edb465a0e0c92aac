// Package observability shows what happens on the streams of a server while
// they are open: counters, log lines, and the connections with their streams.
package observability

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// Counters count the streams of one method and their messages. Pass a
// pointer to [google.golang.org/grpc.StatsHandler], once for each method. Set
// Method before the first call. Methods may be called concurrently.
type Counters struct {
	// Method is the full name of the method, such as
	// "/logs.v1.LogService/StreamLogs".
	Method string

	sent, received atomic.Int64

	mu       sync.Mutex // not held for each message, only for the first
	open     map[*openStream]bool
	first    time.Duration // the sum of all times to the first message
	answered int64         // streams on which a message was sent
	ended    map[string]int64
}

// An openStream is what Counters know of one stream.
type openStream struct {
	began time.Time
	sent  atomic.Int64
}

// A Snapshot is the state of [Counters] at one time.
type Snapshot struct {
	Open           int              // streams that are open
	Unanswered     int              // open streams on which no message was sent
	Oldest         time.Duration    // the age of the oldest open stream
	Sent, Received int64            // messages, also those of ended streams
	First          time.Duration    // the mean time to the first message sent
	Ended          map[string]int64 // streams that ended, by the name of the code
}

func (s Snapshot) String() string {
	return fmt.Sprintf("open=%d unanswered=%d oldest=%v sent=%d received=%d first=%v ended=%v",
		s.Open, s.Unanswered, s.Oldest.Round(time.Millisecond), s.Sent, s.Received,
		s.First.Round(time.Microsecond), s.Ended)
}

// Snapshot returns the present values.
func (c *Counters) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{
		Open:     len(c.open),
		Sent:     c.sent.Load(),
		Received: c.received.Load(),
		Ended:    maps.Clone(c.ended),
	}
	for stream := range c.open {
		s.Oldest = max(s.Oldest, time.Since(stream.began))
		if stream.sent.Load() == 0 {
			s.Unanswered++
		}
	}
	if c.answered > 0 {
		s.First = c.first / time.Duration(c.answered)
	}
	return s
}

// TagRPC implements [stats.Handler]. grpc-go passes the context that it
// returns to each HandleRPC of the same call. The key of the value is c,
// because a server may have several Counters.
func (c *Counters) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if info.FullMethodName != c.Method {
		return ctx
	}
	return context.WithValue(ctx, c, new(openStream))
}

// HandleRPC implements [stats.Handler].
func (c *Counters) HandleRPC(ctx context.Context, event stats.RPCStats) {
	stream, ok := ctx.Value(c).(*openStream)
	if !ok {
		return // another method
	}
	switch event := event.(type) {
	case *stats.Begin:
		stream.began = event.BeginTime
		c.mu.Lock()
		if c.open == nil {
			c.open, c.ended = make(map[*openStream]bool), make(map[string]int64)
		}
		c.open[stream] = true
		c.mu.Unlock()
	case *stats.InPayload:
		c.received.Add(1)
	case *stats.OutPayload:
		c.sent.Add(1)
		if stream.sent.Add(1) == 1 {
			c.mu.Lock()
			c.first += event.SentTime.Sub(stream.began)
			c.answered++
			c.mu.Unlock()
		}
	case *stats.End:
		c.mu.Lock()
		delete(c.open, stream)
		c.ended[status.Code(event.Error).String()]++
		c.mu.Unlock()
	}
}

// TagConn implements [stats.Handler].
func (*Counters) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (*Counters) HandleConn(context.Context, stats.ConnStats) {}
