package streamquota

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// The server allows quota streams at once on a connection.
const quota = 10

// perConn is how many streams the client opens on a connection. It leaves
// some for unary calls.
const perConn = quota - 2

type (
	pool interface {
		Open(context.Context) (stream, error)
	}
	dialer = func() (*grpc.ClientConn, error)
	stream = grpc.ServerStreamingClient[pitfallsv1.Number]
)
