// Package streamquota opens all its streams on one connection.
//
// Symptom: one follower more, and every new call hangs, unary ones too; there
// is no error anywhere, and the streams that are open go on.
//
// Cause: a connection carries as many streams at once as the other side
// allows in its SETTINGS: grpc.MaxConcurrentStreams, or the limit of a proxy.
// The client keeps to it: a call that is one too many waits for another to
// end. Long streams do not end. A grpc-go server allows any number
// unless you set it, so it may be the proxy in production that counts.
//
// Silence: waiting is not an error. With a deadline the call fails after it,
// and looks like a slow server.
//
// Fix: spread long streams over connections, below the limit of each, and
// keep them apart from unary calls. Or one stream for many subscriptions.
//
// Threads: grpc-go#6576, grpc-go#1950.
package streamquota

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenPool opens streams, one after the other.
type BrokenPool struct {
	dial dialer
	conn *grpc.ClientConn
}

// Open opens a stream.
func (p *BrokenPool) Open(ctx context.Context) (stream, error) {
	if p.conn == nil {
		conn, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	return pitfallsv1.NewPitfallServiceClient(p.conn).Count(ctx, &pitfallsv1.CountRequest{})
}
