package handlerpanic

import (
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FixedLogging returns an interceptor that logs each stream whose handler
// returns an error or panics.
func FixedLogging(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(
		srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler,
	) (err error) {
		defer func() {
			if r := recover(); r != nil {
				log.Error("stream panicked", "method", info.FullMethod,
					"panic", r, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "internal error")
			}
		}()
		err = next(srv, stream)
		if err != nil {
			log.Error("stream failed", "method", info.FullMethod, "err", err)
		}
		return err
	}
}
