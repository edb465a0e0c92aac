package htmlanswer

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns the numbers that req asks for. While the server is away,
// it calls again, with pauses of a second, until ctx ends.
func FixedCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) ([]int64, error) {
	for {
		stream, values, err := call(ctx, c, req)
		if status.Code(err) != codes.Unavailable && !noServer(stream, err) {
			return values, err
		}
		if !pause(ctx) {
			return nil, err
		}
	}
}

// noServer reports whether the status has one of three codes and no gRPC server
// has sent it: a gRPC server always sends content-type. The codes for 401 and
// 403 are not among the three, because waiting does not change such an answer.
func noServer(stream grpc.ClientStream, err error) bool {
	switch status.Code(err) {
	case codes.Unimplemented, codes.Unknown, codes.Internal:
		if stream == nil {
			return false // the call did not begin
		}
		header, _ := stream.Header() // does not wait: the stream has ended
		return header["content-type"] == nil && stream.Trailer()["content-type"] == nil
	default:
		return false
	}
}
