// Package protocol is a service with a protocol that can live for years: its
// streams survive errors of single items, and it answers peers that are older
// or newer, or refuses them with a reason.
package protocol

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// Version is the version of the protocol that this package speaks. Version 1
// had no credits.
const Version = 2

// Credits is how many items of one stream may be under way.
const Credits = 4

// A Server implements JobService. Set the fields before the first call.
// Methods may be called concurrently.
type Server struct {
	jobsv1.UnimplementedJobServiceServer

	// Run runs an item. Its error is the status of the item. It is called
	// concurrently, and must return when ctx is done. It must not panic:
	// it has a goroutine of its own, where no interceptor recovers.
	Run func(ctx context.Context, input string) (output string, err error)

	// Root is the directory of the uploads. Server deletes none. The caller
	// closes Root.
	Root *os.Root

	mu sync.Mutex // one write to an upload at a time
}

type workStream = grpc.BidiStreamingServer[jobsv1.WorkRequest, jobsv1.WorkResponse]

// Work runs the items of one stream, at most [Credits] at a time.
//
// OK: the client half-closed, and each item has its result. InvalidArgument:
// the first message is not a Hello. FailedPrecondition: the client does not
// speak [Version]. ResourceExhausted: more than [Credits] items are under
// way, or a message exceeds the limit of gRPC. Canceled, DeadlineExceeded: the
// context of the call ended before the half-close.
func (s *Server) Work(stream grpc.BidiStreamingServer[jobsv1.WorkRequest, jobsv1.WorkResponse]) error {
	hello, err := greet(stream)
	if err != nil {
		return err
	}
	w := &worker{
		stream:   stream,
		run:      s.Run,
		accepts:  slices.Contains(hello.GetCapabilities(), jobsv1.Capability_CAPABILITY_ACCEPTED),
		underWay: make(chan struct{}, Credits),
		sending:  make(chan struct{}, 1),
	}
	var running sync.WaitGroup
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			running.Wait()
			return nil
		}
		if err != nil {
			return err // ends the context of the items
		}
		select {
		case w.underWay <- struct{}{}:
			running.Go(func() { w.work(req) })
		default:
			return status.Errorf(codes.ResourceExhausted,
				"items: must be at most %d under way, got %d", Credits, Credits+1)
		}
	}
}

// greet receives the first message and answers it.
func greet(stream workStream) (*jobsv1.Hello, error) {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	hello := first.GetHello()
	if hello == nil {
		return nil, status.Error(codes.InvalidArgument, "hello: must be the first message")
	}
	if !slices.Contains(hello.GetVersions(), Version) {
		return nil, status.Errorf(codes.FailedPrecondition,
			"versions: must contain %d, got %v", Version, hello.GetVersions())
	}
	welcome := &jobsv1.Welcome{Version: Version, Credits: Credits}
	return hello, stream.Send(&jobsv1.WorkResponse{Event: &jobsv1.WorkResponse_Welcome{Welcome: welcome}})
}
