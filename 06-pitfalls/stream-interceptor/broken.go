// Package streaminterceptor shows a server that checks unary calls only; see README.md.
package streaminterceptor

import (
	"context"

	"google.golang.org/grpc"
)

// BrokenServerOptions returns the options of a server that refuses calls
// without the token.
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
