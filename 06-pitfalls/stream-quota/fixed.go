package streamquota

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A FixedPool opens streams, one after the other.
type FixedPool struct {
	dial   dialer
	conn   *grpc.ClientConn
	onConn int // streams that conn has had
}

// Open opens a stream.
func (p *FixedPool) Open(ctx context.Context) (stream, error) {
	if p.conn == nil || p.onConn == perConn {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn, p.onConn = conn, 0
	}
	p.onConn++
	return pitfallsv1.NewPitfallServiceClient(p.conn).Count(ctx, &pitfallsv1.CountRequest{})
}
