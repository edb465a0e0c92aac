package cancellation

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// A connection that was silent for pingAfter is asked for a sign of life,
// and given up if none comes within pongWithin.
const (
	pingAfter  = 20 * time.Second // grpc-go allows no less than 10 s
	pongWithin = 10 * time.Second
)

// DialOptions make a client notice a server that is gone without a word, and
// look about every 5 s whether it is back, not every 2 minutes. The server
// must allow the pings: see [ServerOptions].
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

// ServerOptions make a server notice a client that is gone without a word,
// and let clients ask twice as often as [DialOptions] do.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pongWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 2}),
	}
}
