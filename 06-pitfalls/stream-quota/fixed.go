package streamquota

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// perConn is how many streams may be open on a connection. The number is
// below the server's limit, to leave room for unary calls.
const perConn = 8

// A FixedPool opens streams that stay open. It closes connections without
// streams, but for one. Open may be called concurrently.
type FixedPool struct {
	dial  func() (*grpc.ClientConn, error)
	mu    sync.Mutex
	conns []*pooled
}

type pooled struct {
	*grpc.ClientConn
	open int // streams
}

// Open opens a stream. The caller cancels ctx, or receives until Recv fails.
func (p *FixedPool) Open(
	ctx context.Context,
) (grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], error) {
	conn, err := p.take()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { p.release(conn) })
	client := pitfallsv1.NewPitfallServiceClient(conn)
	stream, err := client.Echo(ctx, grpc.OnFinish(func(error) { cancel() }))
	if err != nil {
		cancel() // an interceptor may have failed before the call began
	}
	return stream, err
}

func (p *FixedPool) take() (*pooled, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.conns, func(c *pooled) bool { return c.open < perConn })
	if i < 0 {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		i, p.conns = len(p.conns), append(p.conns, &pooled{ClientConn: conn})
	}
	p.conns[i].open++
	return p.conns[i], nil
}

func (p *FixedPool) release(c *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.open--; c.open == 0 && len(p.conns) > 1 {
		p.conns = slices.DeleteFunc(p.conns, func(other *pooled) bool { return other == c })
		_ = c.Close() // no stream is open
	}
}
