package deadpeer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedServerOptions returns options with which a server closes the connection
// of a client that has sent nothing for idle.
func FixedServerOptions(idle time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: idle, Timeout: idle / 6}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: idle / 2}),
	}
}

// FixedDialOptions returns options with which a client closes the connection of
// a server that has sent nothing for idle.
func FixedDialOptions(idle time.Duration) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: idle, Timeout: idle / 6}),
	}
}
