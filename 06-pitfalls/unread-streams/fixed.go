package unreadstreams

import "google.golang.org/grpc"

// FixedOptions returns the options of a server whose handlers read slowly.
// A connection may have 100 streams, a message 64 KiB, and a stream may hold
// 64 KiB that its handler has not read.
func FixedOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxConcurrentStreams(100),
		grpc.MaxRecvMsgSize(64 << 10),
		grpc.StaticStreamWindowSize(64 << 10),
		grpc.StaticConnWindowSize(1 << 20), // for all streams that are busy at one time
	}
}
