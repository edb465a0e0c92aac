package deadpeer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedServerOptions returns options with which a server gives up a client that
// has been silent for idle.
func FixedServerOptions(idle time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: idle, Timeout: idle / 6}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: idle / 2}),
	}
}

// FixedDialOptions returns options with which a client gives up a server that
// has been silent for idle.
func FixedDialOptions(idle time.Duration) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: idle, Timeout: idle / 6}),
	}
}
