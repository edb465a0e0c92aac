package sharedlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A Replica implements LogService. It lets clients follow the copy of a
// [Log], which [Replica.Run] keeps. Set the fields before the first call.
// Methods may be called concurrently.
type Replica struct {
	logsv1.UnimplementedLogServiceServer

	// Log is the log. It must not be nil.
	Log *Log

	// MaxOutage is about how long the replica keeps its followers after it
	// has noticed that it cannot read the log, and how long a call waits at most
	// for an entry that the copy does not have yet. The default is 10 s.
	MaxOutage time.Duration

	// BookmarkInterval is that of [logs.LogServer].
	BookmarkInterval time.Duration

	// OnServing, if not nil, is called when the replica begins to serve, with
	// nil, and when it stops serving, with the reason; also after about
	// each MaxOutage in which it cannot read the log. After Drain, it is called at most
	// once more. It must not block.
	OnServing func(error)

	copy *replicaCopy // only Run uses it

	mu       sync.Mutex
	serving  *replicaCopy // nil: the replica does not serve
	draining bool
}

// A replicaCopy is the copy of a log in this process.
type replicaCopy struct {
	*logs.Log
	id     string
	newest atomic.Uint64
}

// Run keeps a copy of the log until ctx is done. It must be called once. End
// the streams with [Replica.Drain] first, because the copy gets no more
// entries.
func (r *Replica) Run(ctx context.Context) {
	lost := time.Now()
	for ctx.Err() == nil {
		upToDate, err := r.read(ctx)
		if upToDate {
			lost = time.Now() // just now
		}
		if time.Since(lost) >= r.maxOutage() && ctx.Err() == nil {
			if r.served() != nil {
				r.copy = nil // it will be drained: read the log again
			}
			r.serve(nil, err)
			lost = time.Now() // say so again later
		}
		sleep(ctx, retryDelay)
	}
}

// read reads the log into the copy until the engine fails. It reports
// whether the copy was up to date, and why it is no longer. The replica
// serves a copy that was up to date.
func (r *Replica) read(ctx context.Context) (upToDate bool, err error) {
	stream, s, err := r.Log.open(ctx)
	if err != nil {
		return false, err
	}
	c := r.copy
	if c == nil || c.id != s.id || c.newest.Load()+1 < s.oldest || c.newest.Load() > s.newest {
		// The engine does not have the entry that follows. Begin again.
		c = &replicaCopy{Log: logs.NewCopy(s.id, s.retention, s.oldest-1), id: s.id}
		c.newest.Store(s.oldest - 1)
		r.copy = c
		if r.served() != nil {
			r.serve(nil, errors.New("the copy is not up to date yet"))
		}
	}
	messages, err := subscribe(ctx, stream, c.newest.Load())
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	for {
		if c.newest.Load() >= s.newest {
			upToDate = true
			r.serve(c, nil)
		}
		m, err := next(ctx, messages, r.maxOutage())
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			// The node that would send entries is there. Is the engine?
			_, s, err = r.Log.open(ctx)
			if err == nil && c.newest.Load() < s.newest {
				err = fmt.Errorf("the engine does not send entry %d", c.newest.Load()+1)
			}
		case err == nil:
			err = c.add(m)
		}
		if err != nil {
			return upToDate, err
		}
	}
}

// add adds the entry that a message of the engine holds.
func (c *replicaCopy) add(m jetstream.Msg) error {
	e, err := entry(m)
	if err != nil {
		return err
	}
	if newest := c.newest.Load(); e.GetSequence() != newest+1 {
		return fmt.Errorf("the engine sent entry %d after %d", e.GetSequence(), newest)
	}
	c.Add(e)
	c.newest.Store(e.GetSequence())
	return nil
}

func next(ctx context.Context, messages jetstream.MessagesContext, d time.Duration) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return messages.Next(jetstream.NextContext(ctx))
}

// serve makes c the copy that followers read; nil: none, because of err. The
// followers of another copy are sent away. If c is served already, serve does
// nothing.
func (r *Replica) serve(c *replicaCopy, err error) {
	r.mu.Lock()
	old := r.serving
	if c != nil && old == c || r.draining {
		r.mu.Unlock()
		return
	}
	r.serving = c
	r.mu.Unlock()
	if old != nil {
		old.Drain()
	}
	if r.OnServing != nil {
		r.OnServing(err)
	}
}

func (r *Replica) served() *replicaCopy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.serving
}

// Drain ends the streams of all followers, as [logs.Log.Drain] does.
func (r *Replica) Drain() {
	r.mu.Lock()
	r.draining = true
	c := r.serving
	r.mu.Unlock()
	if c != nil {
		c.Drain()
	}
}

func (r *Replica) maxOutage() time.Duration { return cmp.Or(r.MaxOutage, 10*time.Second) }

var errNotServing = status.Error(codes.Unavailable, "this server cannot read the log; resume at another one")

// StreamLogs is that of [logs.LogServer], for all replicas of the log: a
// client may resume at any of them. If the copy does not have the entry
// req.after yet, or, without req.follow, the engine's newest one, StreamLogs
// waits for it first, for at most MaxOutage.
//
// OutOfRange: as in LogServer, but ahead of the newest entry that the engine
// has. Unavailable: as in LogServer; or the replica does not serve; or the entry that it waited for did not come; or the
// engine, which StreamLogs asks without req.follow, does not answer.
func (r *Replica) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	c := r.served()
	if c == nil {
		return errNotServing
	}
	if err := r.catchUp(stream.Context(), c, req); err != nil {
		return err
	}
	server := &logs.LogServer{Log: c.Log, BookmarkInterval: r.BookmarkInterval}
	err := server.StreamLogs(req, stream)
	if status.Code(err) == codes.Unavailable && r.served() != c {
		return errNotServing // not "shutting down"
	}
	return err
}

// catchUp waits until the copy has the entries that the client knows. If it
// returns nil, chapter 02's handler can tell whether req is valid.
func (r *Replica) catchUp(ctx context.Context, c *replicaCopy, req *logsv1.LogRequest) error {
	if id := req.GetLogId(); id != "" && id != c.id {
		return nil // OutOfRange: another log
	}
	sequence := req.GetAfter()
	if !req.GetFollow() {
		_, s, err := r.Log.open(ctx)
		if err != nil {
			return unavailable(ctx, err)
		}
		sequence = max(sequence, s.newest)
	}
	waiting, cancel := context.WithTimeout(ctx, r.maxOutage())
	defer cancel()
	for newest := c.newest.Load(); newest < sequence && waiting.Err() == nil; newest = c.newest.Load() {
		if err := c.Wait(waiting, newest); err != nil {
			return errNotServing
		}
	}
	if waiting.Err() == nil {
		return nil
	}
	_, s, err := r.Log.open(ctx)
	switch {
	case err != nil:
		return unavailable(ctx, err)
	case s.newest < sequence:
		return nil // OutOfRange: ahead of the newest
	default:
		return status.Errorf(codes.Unavailable, "this server does not have entry %d yet; resume at another one", sequence)
	}
}

func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return status.Errorf(codes.Unavailable, "the engine does not answer: %v", err)
}
