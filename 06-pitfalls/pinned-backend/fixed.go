package pinnedbackend

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedServerOptions returns options with which a server closes each connection
// after about age, and at most a tenth of age later if streams are open.
func FixedServerOptions(age time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge:      age,
		MaxConnectionAgeGrace: age / 10,
	})}
}
