// Package streamquota shows a client that opens too many streams on a connection; see README.md.
package streamquota

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenPool opens streams that stay open. Open may be called concurrently.
type BrokenPool struct {
	dial func() (*grpc.ClientConn, error)
	mu   sync.Mutex
	conn *grpc.ClientConn
}

// Open opens a stream. The caller ends the stream by canceling ctx.
func (p *BrokenPool) Open(
	ctx context.Context,
) (grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], error) {
	conn, err := p.connection()
	if err != nil {
		return nil, err
	}
	return pitfallsv1.NewPitfallServiceClient(conn).Echo(ctx)
}

func (p *BrokenPool) connection() (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	return p.conn, nil
}
