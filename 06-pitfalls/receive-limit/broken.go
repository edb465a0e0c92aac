// Package receivelimit shows an upload in one message of any size; see README.md.
package receivelimit

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenUpload sends data and returns how many bytes of it the server has
// received.
func BrokenUpload(ctx context.Context, c pitfallsv1.PitfallServiceClient, data []byte) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	_ = stream.Send(&pitfallsv1.Number{Padding: data}) // CloseAndRecv returns the status
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
