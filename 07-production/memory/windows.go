// Package memory limits what the streams of a connection may take, and has a
// network with a round-trip time to see what the limits cost.
package memory

import "google.golang.org/grpc"

const (
	streamWindow   = 64 << 10 // bytes that a stream may hold unread
	connWindow     = 1 << 20  // bytes that may be under way on a connection
	maxStreams     = 100      // open at once on a connection
	maxHeaderBytes = 16 << 10 // of one header list, decoded
	maxRequest     = 64 << 10 // bytes of one message
)

// DialOptions give each stream of a client a window of 64 KiB. By default a
// window may grow to 16 MiB, and a stream that nobody reads may fill it.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithStaticStreamWindowSize(streamWindow),
		grpc.WithStaticConnWindowSize(connWindow), // would be 64 KiB, which is slow
	}
}

// ServerOptions limit what one connection of a client may take.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxRecvMsgSize(maxRequest),
	}
}
