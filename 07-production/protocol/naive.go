package protocol

import (
	"context"
	"errors"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// A NaiveServer is what everybody writes first: it has no hello, no credits,
// and one status for all items. Methods may be called concurrently.
type NaiveServer struct {
	jobsv1.UnimplementedJobServiceServer

	// Run runs an item. It is called concurrently.
	Run func(ctx context.Context, input string) (output string, err error)
}

// Work runs each item in a goroutine as soon as it arrives.
//
// OK: all items succeeded. InvalidArgument: an item failed.
func (s *NaiveServer) Work(stream grpc.BidiStreamingServer[jobsv1.WorkRequest, jobsv1.WorkResponse]) error {
	items, ctx := errgroup.WithContext(stream.Context())
	var mu sync.Mutex
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return items.Wait()
		}
		if err != nil {
			return err
		}
		items.Go(func() error {
			output, err := s.Run(ctx, req.GetInput())
			if err != nil {
				return status.Errorf(codes.InvalidArgument, "item %d: %v", req.GetItem(), err)
			}
			mu.Lock()
			defer mu.Unlock()
			return stream.Send(&jobsv1.WorkResponse{
				Item: req.GetItem(), Event: &jobsv1.WorkResponse_Output{Output: output},
			})
		})
	}
}

// NaiveWork sends all inputs, and then receives the outputs. It returns
// those that it has received, by item, also with an error.
func NaiveWork(ctx context.Context, c jobsv1.JobServiceClient, inputs []string) (map[uint64]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Work(ctx)
	if err != nil {
		return nil, err
	}
	for i, input := range inputs {
		if err := send(stream, i+1, input); err != nil {
			return nil, err
		}
	}
	_ = stream.CloseSend() // always nil
	outputs := make(map[uint64]string)
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return outputs, nil
		}
		if err != nil {
			return outputs, err
		}
		outputs[resp.GetItem()] = resp.GetOutput()
	}
}
