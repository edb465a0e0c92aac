package serve

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// What one connection may take. The default of grpc-go is in parentheses.
const (
	connectionTimeout = 3 * time.Second  // for the handshake (120 s)
	maxStreams        = 100              // open at once (no limit); RFC 9113 recommends no less
	maxHeaderBytes    = 16 << 10         // of one header list, decoded (16 MiB)
	maxRequestBytes   = 64 << 10         // of one message (4 MiB)
	streamWindow      = 64 << 10         // unread bytes of a stream (grows up to 16 MiB)
	connWindow        = 1 << 20          // bytes of a connection on their way (grows up to 16 MiB)
	pingAfter         = 20 * time.Second // without a frame from the client (2 h)
	pongWithin        = 10 * time.Second // or the connection is closed (20 s)
	pingInterval      = 10 * time.Second // between pings of a client, at least (5 min)
)

// quotas returns the options of every server that [New] makes.
func quotas() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxRecvMsgSize(maxRequestBytes),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pongWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval}),
		grpc.ChainUnaryInterceptor(recoverUnary),
		grpc.ChainStreamInterceptor(recoverStream),
	}
}

func recoverUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (reply any, err error) {
	defer recoverPanic(info.FullMethod, &err)
	return handler(ctx, req)
}

func recoverStream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	defer recoverPanic(info.FullMethod, &err)
	return handler(srv, stream)
}

// recoverPanic turns a panic of a handler into a status. Without it, one
// panic ends the process and all its streams. It cannot recover a goroutine
// that the handler has started. The value of the panic may be secret, so
// only the log has it.
func recoverPanic(method string, err *error) {
	if v := recover(); v != nil {
		slog.Error("panic in a handler", "method", method, "panic", v, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "internal error")
	}
}
