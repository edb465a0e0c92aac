// Package handlerpanic lets a panic leave a handler.
//
// Symptom: one bad message, and the server is gone, with the streams of all
// its clients; they come back, and so does the message.
//
// Cause: each handler runs in a goroutine of its own, and grpc-go does not
// recover there, unlike net/http. A panic that reaches the top of any
// goroutine ends the process.
//
// Silence: the compiler and vet do not see an index that is out of range, and
// no test sends what a stranger will.
//
// Fix: recover in an interceptor, for streams and for unary calls: log the
// value and the stack, and tell the client only Internal. It guards the
// goroutine of the handler, not one that the handler starts.
//
// Source: handleStream in server.go of v1.85.0, which has no recover; see also
// grpc-go#744.
package handlerpanic

import (
	"log/slog"

	"google.golang.org/grpc"
)

// BrokenLogging returns an interceptor that logs the streams that fail.
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
