// Package toomanypings pings a server more often than it allows.
//
// Symptom: keepalive was to keep quiet streams alive, and now they die within
// a minute, with Unavailable and "too_many_pings".
//
// Cause: a server allows one ping in 5 minutes while nothing else happens,
// and in 2 hours on a connection without a stream. To the third ping too many
// it answers GOAWAY, ENHANCE_YOUR_CALM, and closes. The client then doubles
// its interval, so that the sixth stream lives; the next process begins
// anew.
//
// Silence: the numbers are on different machines. A busy stream needs no
// pings, and a test is over before the first.
//
// Fix: ping no more often than the servers allow: every 5 minutes, if you do
// not know them. If you own the server, let it allow more
// (KeepaliveEnforcementPolicy), and roll that out first.
//
// Threads: grpc-go#5161, grpc-go#2609.
package toomanypings

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenDialOptions keep quiet streams alive.
func BrokenDialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
		Time:    10 * time.Second,
		Timeout: 5 * time.Second,
	})}
}
