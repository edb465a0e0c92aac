package cancellation

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// A side that has received nothing for pingAfter sends a PING, and closes
// the connection if no answer comes within pongWithin.
const (
	pingAfter  = 20 * time.Second // grpc-go allows clients no less than 10 s
	pongWithin = 10 * time.Second
)

// DialOptions make a client notice a half-open connection after 30 s, and
// dial a server that cannot be reached about every 5 s, not every 2 minutes.
// The server must allow the client's pings: see [ServerOptions].
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pongWithin}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  100 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   5 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
	}
}

// ServerOptions make a server notice a half-open connection after 30 s, and
// allow clients to ping twice as often as with [DialOptions].
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pongWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 2}),
	}
}
