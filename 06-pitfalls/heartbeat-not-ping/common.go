package heartbeatnotping

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// interval is how often something must cross the connection. It is less
// than half of the minute after which the proxy of the tests resets a quiet
// stream.
const interval = 20 * time.Second

// Both sides send a PING when they have received nothing for the interval.
var (
	serverOptions = []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: interval}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: interval / 2}),
	}
	dialOptions = grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: interval})
)
