package ignoredcontext

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo opens a stream and cancels it. There are no updates.
var Demo = demo.Demo{Broken: variant(BrokenFollow), Fixed: variant(FixedFollow)}

func variant(follow func(grpc.ServerStreamingServer[pitfallsv1.Number], <-chan int64) error) demo.Variant {
	handler := func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		return follow(stream, make(chan int64))
	}
	return demo.Variant{Server: &service.Server{OnCount: handler}, Run: leave}
}

func leave(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(200*time.Millisecond, cancel)
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	_, err = service.Values(stream)
	return "the client has left", err
}
