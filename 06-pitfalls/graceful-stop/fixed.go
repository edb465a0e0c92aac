package gracefulstop

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type fixedService struct {
	stopping context.Context
	stop     context.CancelFunc
}

// FixedTicker returns a service that sends a number each second.
func FixedTicker() ticker {
	ctx, cancel := context.WithCancel(context.Background())
	return &fixedService{stopping: ctx, stop: cancel}
}

// Count sends a number each second until the call ends.
//
// Unavailable: the server is stopping.
func (t *fixedService) Count(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := int64(1); ; i++ {
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-t.stopping.Done():
			return status.Error(codes.Unavailable, "the server is stopping")
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
	}
}

// Shutdown stops the server once the open calls have finished, or have been
// canceled after drain. It returns an error if the server has not stopped a
// second after that.
func (t *fixedService) Shutdown(s *grpc.Server) error {
	t.stop()
	limit := time.AfterFunc(drain, s.Stop)
	defer limit.Stop()
	stopped := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(drain + time.Second):
		return errors.New("the server has not stopped a second after Stop")
	}
}
