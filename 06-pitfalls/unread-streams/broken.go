// Package unreadstreams shows streams that fill the memory of whoever does not read them; see README.md.
package unreadstreams

import "google.golang.org/grpc"

// BrokenOptions returns the options of a server whose handlers read slowly.
// A connection may have 100 streams, and a message 64 KiB.
func BrokenOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxConcurrentStreams(100),
		grpc.MaxRecvMsgSize(64 << 10),
	}
}
