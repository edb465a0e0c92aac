package travels

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Streams that do not end with OK.
var endings = []scenario{
	{name: "cancel", client: callCancel, handler: tickingHandler{}, ends: codes.Canceled},
	{name: "deadline", client: callDeadline, handler: tickingHandler{}, ends: codes.DeadlineExceeded},
	{name: "refusal", client: callClientStream, handler: refusingHandler{}, ends: codes.PermissionDenied},
}

func callCancel(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(1500*time.Millisecond, cancel)
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 9})
	if err != nil {
		return err
	}
	return recvAll(stream)
}

func callDeadline(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 9})
	if err != nil {
		return err
	}
	return recvAll(stream)
}

type tickingHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

// Count sends a number each second.
func (tickingHandler) Count(
	req *pitfallsv1.CountRequest,
	stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := range req.GetTo() {
		select {
		case <-time.After(time.Second):
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}

type refusingHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (refusingHandler) Sum(
	grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
) error {
	return status.Error(codes.PermissionDenied, "sum: not for you")
}
