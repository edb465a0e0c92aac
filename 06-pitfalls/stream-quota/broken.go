// Package streamquota shows a client that opens too many streams on a connection; see README.md.
package streamquota

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenPool opens streams that stay open. Open must not be called
// concurrently.
type BrokenPool struct {
	dial func() (*grpc.ClientConn, error)
	conn *grpc.ClientConn
}

// Open opens a stream. The caller ends the stream by canceling ctx.
func (p *BrokenPool) Open(
	ctx context.Context,
) (grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], error) {
	if p.conn == nil {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	return pitfallsv1.NewPitfallServiceClient(p.conn).Echo(ctx)
}
