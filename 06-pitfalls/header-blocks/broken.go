// Package headerblocks shows a client that asks for the header too early; see README.md.
package headerblocks

import (
	"context"
	"strings"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the value and returns the name of the server's node and
// what the server sends back.
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
	_ = stream.Send(&pitfallsv1.Number{Value: value}) // Recv returns the status
	_ = stream.CloseSend()                            // always nil
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
