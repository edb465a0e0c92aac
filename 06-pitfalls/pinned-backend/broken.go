// Package pinnedbackend shows long streams that stay on an old server; see README.md.
package pinnedbackend

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenServerOptions returns options that should make each client connect
// again after about age.
func BrokenServerOptions(age time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: age,
	})}
}
