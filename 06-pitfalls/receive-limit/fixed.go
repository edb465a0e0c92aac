package receivelimit

import (
	"context"
	"errors"
	"io"
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
		err = stream.Send(&pitfallsv1.Number{Padding: chunk})
		if errors.Is(err, io.EOF) { // CloseAndRecv returns the status
			break
		}
		if err != nil {
			return 0, err
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
