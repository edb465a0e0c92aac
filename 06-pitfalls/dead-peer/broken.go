// Package deadpeer shows idle timeouts that do not notice a lost peer; see README.md.
package deadpeer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenServerOptions returns options that are meant to let a server close the
// connection of a client that has sent nothing for idle.
func BrokenServerOptions(idle time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idle}),
	}
}

// BrokenDialOptions returns options that are meant to let a client close the
// connection of a server that has sent nothing for idle.
func BrokenDialOptions(idle time.Duration) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithIdleTimeout(idle)}
}
