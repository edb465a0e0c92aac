// Package deadpeer counts on an idle timeout to notice a peer that is gone.
//
// Symptom: a stream goes quiet, and neither side learns that the cable was
// pulled: the client waits for ever, the server keeps its handler for hours.
//
// Cause: only a FIN, a RST or a failed write tells that a peer is gone, and a
// pulled cable sends none. To a stream, silence is normal. An idle timeout
// looks at connections without a call, and here one is open. TCP itself gives
// up after about 15 minutes, but only if it has data to send. Unless you set
// it, grpc-go's keepalive is off in a client, and 2 h + 20 s in a server.
//
// Silence: a test closes its connections, and closing is what gets noticed.
//
// Fix: turn keepalive on: on each side that must know, ping after a time of
// silence and give up if nothing answers. The server must allow the pace of
// its clients; else it cuts them off (see too-many-pings).
//
// Threads: grpc-go#3206.
package deadpeer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// BrokenServerOptions drop a client after a time of silence.
func BrokenServerOptions(silence time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: silence}),
	}
}

// BrokenDialOptions drop the server after a time of silence.
func BrokenDialOptions(silence time.Duration) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithIdleTimeout(silence)}
}
