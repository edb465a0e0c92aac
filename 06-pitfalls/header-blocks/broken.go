// Package headerblocks asks for the header before the server has a reason
// to send it, and takes one that is missing for one that is empty.
//
// Symptom: a bidirectional call hangs before its first message; or a call
// that the server refused seems to work and has no metadata.
//
// Cause: the header leaves the server with its first message, or when the
// handler calls SendHeader. A server that waits for the client's first
// message, and a client that waits for the header, wait for ever. A refused
// call has only trailers: Header then returns nil and a nil error, after a
// cancel too, and Recv has the status.
//
// Silence: the error is checked, and it is always nil. A server that calls
// SendHeader first hides the hang.
//
// Fix: send first, then ask for the header. If it is nil, Recv has the
// status.
//
// Threads: grpc-go#6524.
package headerblocks

import (
	"context"
	"strings"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho returns the name of the server's node and what comes back.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, value int64,
) (string, []int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return "", nil, err
	}
	header, err := stream.Header()
	if err != nil {
		return "", nil, err
	}
	if err := send(stream, value); err != nil {
		return "", nil, err
	}
	got, err := service.Values(stream)
	return strings.Join(header.Get("node"), ""), got, err
}

// BrokenNode returns the name of the node that answers the request.
func BrokenNode(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Count(ctx, req)
	if err != nil {
		return "", err
	}
	header, err := stream.Header()
	return strings.Join(header.Get("node"), ""), err
}
