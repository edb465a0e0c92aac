package receivelimit

import (
	"context"
	"slices"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedUpload sends data and returns how many bytes of it the server has
// received.
func FixedUpload(ctx context.Context, c pitfallsv1.PitfallServiceClient, data []byte) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(data, 16<<10) {
		if err := stream.Send(&pitfallsv1.Number{Padding: chunk}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
