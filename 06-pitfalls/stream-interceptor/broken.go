// Package streaminterceptor checks the token of unary calls only.
//
// Symptom: whoever has no token is refused, except on streams: there, anybody
// gets everything. Nor do streams show in the logs and the metrics.
//
// Cause: unary calls and streams have interceptors of their own. A unary
// interceptor runs 0 times for a stream, and grpc-go does not ask why you
// set one and not the other.
//
// Silence: a missing option is a valid program. Tests that bring a token pass
// either way.
//
// Fix: set both, in one place, from one check. Prove it with a test that
// calls each method without a token. A token that is checked when a stream
// opens may expire while it lasts; end the stream then.
//
// Threads: grpc-go#4592, grpc-go#1805.
package streaminterceptor

import (
	"context"

	"google.golang.org/grpc"
)

// BrokenServerOptions let in who has the token.
func BrokenServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(brokenUnary),
	}
}

func brokenUnary(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (any, error) {
	if err := authorize(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}
