package streaminterceptor

import "google.golang.org/grpc"

// FixedServerOptions returns the options of a server that refuses calls
// without the token.
func FixedServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(checkUnary),
		grpc.ChainStreamInterceptor(checkStream),
	}
}

func checkStream(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	if err := authorize(stream.Context()); err != nil {
		return err
	}
	return next(srv, stream)
}
