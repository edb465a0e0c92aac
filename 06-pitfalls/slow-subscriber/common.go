package slowsubscriber

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type hub interface {
	Subscribe(*pitfallsv1.CountRequest, subscriber) error
	Publish(*pitfallsv1.Number)
}

type subscriber = grpc.ServerStreamingServer[pitfallsv1.Number]

// serve returns a service whose Count subscribes to h and whose Sum publishes.
func serve(h hub) *service.Server {
	publish := func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(&pitfallsv1.SumResponse{})
			}
			if err != nil {
				return err
			}
			h.Publish(n)
		}
	}
	return &service.Server{OnCount: h.Subscribe, OnSum: publish}
}

// subscribe returns the stream of a client that the hub has added.
func subscribe(ctx context.Context, c pitfallsv1.PitfallServiceClient) (subscription, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	_, err = stream.Header()
	return stream, err
}

type subscription = grpc.ServerStreamingClient[pitfallsv1.Number]

// publish publishes the numbers from 1 to to, one each millisecond. A
// subscriber that reads can keep up with this pace.
func publish(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for i := range to {
		n := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, 10<<10)}
		if err := stream.Send(n); err != nil {
			break // CloseAndRecv returns the status
		}
		time.Sleep(time.Millisecond)
	}
	_, err = stream.CloseAndRecv()
	return err
}
