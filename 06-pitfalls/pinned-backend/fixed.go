package pinnedbackend

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedServerOptions make clients look for another server now and then.
func FixedServerOptions(age time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge:      age,
		MaxConnectionAgeGrace: age / 10,
	})}
}
