package follow

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// A pollServer answers polls and long polls. Its methods may be called
// concurrently.
type pollServer struct {
	benchv1.UnimplementedBenchServiceServer

	mu      sync.Mutex
	entries []*logsv1.LogEntry
	changed chan struct{} // closed by the next publish
}

func newPoll() (publisher, *grpc.Server, http.Handler) {
	p := &pollServer{changed: make(chan struct{})}
	server := grpc.NewServer()
	benchv1.RegisterBenchServiceServer(server, p)
	return p, server, nil
}

func (p *pollServer) publish(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var last *item
	if n := len(p.entries); n > 0 {
		last = &item{entry: p.entries[n-1]}
	}
	p.entries = append(p.entries, next(last, text).entry)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pollServer) close() {}

func (p *pollServer) Poll(ctx context.Context, req *benchv1.PollRequest) (*benchv1.LogBatch, error) {
	for {
		entries, changed := p.after(req.GetAfter())
		if len(entries) > 0 || !req.GetWait() {
			return &benchv1.LogBatch{Entries: entries}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *pollServer) after(sequence uint64) (entries []*logsv1.LogEntry, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.entries[min(sequence, uint64(len(p.entries))):], p.changed
}

// pollFollowers poll after each interval. If it is 0, they poll at once, and
// each poll waits for an entry.
func pollFollowers(interval time.Duration) joiner {
	return func(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
		conn, err := n.connect(ctx)
		if err != nil {
			group.Go(func() error { return err })
			return
		}
		client := benchv1.NewBenchServiceClient(conn)
		for _, f := range followers {
			group.Go(func() error { return ended(ctx, f.poll(ctx, n, client, interval)) })
		}
	}
}

func (f *follower) poll(ctx context.Context, n network, client benchv1.BenchServiceClient, interval time.Duration) error {
	for {
		n.call()
		batch, err := client.Poll(ctx, &benchv1.PollRequest{After: f.last, Wait: interval == 0})
		if err != nil {
			return err
		}
		for _, entry := range batch.GetEntries() {
			if err := f.seenEntry(entry); err != nil {
				return err
			}
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
