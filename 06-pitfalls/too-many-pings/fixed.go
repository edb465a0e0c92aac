package toomanypings

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// FixedDialOptions returns the options of a client that sends pings while its
// streams are quiet.
func FixedDialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
		Time:    6 * time.Minute, // the server's 5 minutes, and a margin
		Timeout: 5 * time.Second,
	})}
}
