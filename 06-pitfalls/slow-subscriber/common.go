package slowsubscriber

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type subscriber = grpc.ServerStreamingServer[pitfallsv1.Number]

type hub interface {
	Subscribe(*pitfallsv1.CountRequest, subscriber) error
	Publish(*pitfallsv1.Number)
}

// serve returns a service whose Count subscribes to h. Its Sum publishes 100
// numbers, one each millisecond, so that a subscriber that reads can keep up.
func serve(h hub) *service.Server {
	publish := func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
		for i := range int64(100) {
			h.Publish(&pitfallsv1.Number{Value: i + 1, Padding: make([]byte, 10<<10)})
			time.Sleep(time.Millisecond)
		}
		return stream.SendAndClose(&pitfallsv1.SumResponse{})
	}
	return &service.Server{OnCount: h.Subscribe, OnSum: publish}
}

type subscription = grpc.ServerStreamingClient[pitfallsv1.Number]

// subscribe returns the stream of a client that the hub has added.
func subscribe(ctx context.Context, c pitfallsv1.PitfallServiceClient) (subscription, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	_, err = stream.Header()
	return stream, err
}

// publish makes the server publish, and waits until it has finished.
func publish(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	_, err = stream.CloseAndRecv()
	return err
}
