package cancellation

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// A side that has received nothing for pingAfter sends a PING, and closes
// the connection if it receives nothing for another pongWithin. A client
// does so only while a call is open.
const (
	pingAfter  = 20 * time.Second // grpc-go allows clients no less than 10 s
	pongWithin = 10 * time.Second
)

// DialOptions make a client with an open call notice a half-open connection
// within about 30 s. They limit a dial, and the wait after a failed dial, to about
// 5 s each; by default, both grow to about 2 minutes. The server must allow
// the client's pings: see [ServerOptions].
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

// ServerOptions make a server notice a half-open connection within about 30 s, and
// allow clients to ping twice as often as with [DialOptions].
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pongWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 2}),
	}
}
