// Package handlerpanic shows a server that one message can end; see README.md.
package handlerpanic

import (
	"log/slog"

	"google.golang.org/grpc"
)

// BrokenLogging returns an interceptor that logs each stream whose handler
// returns an error.
func BrokenLogging(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(
		srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler,
	) error {
		err := next(srv, stream)
		if err != nil {
			log.Error("stream failed", "method", info.FullMethod, "err", err)
		}
		return err
	}
}
