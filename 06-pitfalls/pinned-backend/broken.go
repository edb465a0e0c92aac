// Package pinnedbackend expects MaxConnectionAge to move long streams.
//
// Symptom: you add a server, and new calls reach it, but the long streams stay
// where they are, for as long as they live.
//
// Cause: a stream lives on one connection, to one server, and no balancer
// moves it. After MaxConnectionAge, give or take 10 %, the server sends a
// GOAWAY: new calls take a new connection, open streams may finish. They have
// MaxConnectionAgeGrace to do so, which has no end unless you set it.
//
// Silence: the option does what it says, and unary calls do move.
//
// Fix: set the grace too. It cuts the streams with Unavailable, so clients
// must open a new one (see no-reconnect). It is kinder if the handler ends its
// stream with a status when it has run for so long, and the grace is for those
// that do not.
//
// Threads: grpc-go#4597.
package pinnedbackend

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenServerOptions make clients look for another server now and then.
func BrokenServerOptions(age time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: age,
	})}
}
