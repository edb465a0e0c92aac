// Package toomanypings shows a client that pings too often; see README.md.
package toomanypings

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenDialOptions returns the options of a client that sends pings while its
// streams are quiet.
func BrokenDialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
		Time:    10 * time.Second,
		Timeout: 5 * time.Second,
	})}
}
