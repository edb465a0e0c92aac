package streamquota

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// perConn is the number of streams that the client opens on a connection. The
// number is below the server's limit, to leave room for unary calls.
const perConn = 8

// A FixedPool opens streams that stay open. Open must not be called
// concurrently.
type FixedPool struct {
	dial   func() (*grpc.ClientConn, error)
	conn   *grpc.ClientConn
	onConn int // streams that were opened on conn
}

// Open opens a stream. The caller ends the stream by canceling ctx.
func (p *FixedPool) Open(
	ctx context.Context,
) (grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], error) {
	if p.conn == nil || p.onConn == perConn {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn, p.onConn = conn, 0
	}
	p.onConn++
	return pitfallsv1.NewPitfallServiceClient(p.conn).Echo(ctx)
}
