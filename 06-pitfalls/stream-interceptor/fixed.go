package streaminterceptor

import (
	"context"

	"google.golang.org/grpc"
)

// FixedServerOptions returns the options of a server that refuses calls
// without the token.
func FixedServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(fixedUnary),
		grpc.ChainStreamInterceptor(fixedStream),
	}
}

func fixedUnary(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (any, error) {
	if err := authorize(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func fixedStream(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	if err := authorize(stream.Context()); err != nil {
		return err
	}
	return next(srv, stream)
}
