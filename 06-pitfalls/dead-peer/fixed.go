package deadpeer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedServerOptions returns options with which a server closes the connection
// of a client that has sent nothing for idle, and then no answer to a PING for
// idle / 6. grpc-go raises an idle below 1 s to 1 s.
func FixedServerOptions(idle time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: idle, Timeout: idle / 6}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: idle / 2}),
	}
}

// FixedDialOptions returns options with which a client closes the connection of
// a server that has sent nothing for idle, and then no answer to a PING for
// idle / 6. A client sends PINGs while a stream is open. grpc-go raises an idle
// below 10 s to 10 s.
func FixedDialOptions(idle time.Duration) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: idle, Timeout: idle / 6}),
	}
}
