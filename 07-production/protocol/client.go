package protocol

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// A Result is how one item ended.
type Result struct {
	Item   uint64 // the position of the input, from 1
	Output string
	Err    error // the status of this item only
}

// Work runs the inputs on the server, and returns an iterator over the
// results, as they become ready. Each loop over the iterator is one call.
// Breaking out of the loop cancels the call. Otherwise, if the call does not end
// with OK, the last error is the status of the call. It is another error if the first
// message is not a Welcome with this version and credits, or if the call ends
// with OK before each item has a result. Then each item that was sent and has no
// result may have run or not.
//
// Work asks for the next input when it has a credit. While inputs waits,
// the loop gets no results.
func Work(
	ctx context.Context, c jobsv1.JobServiceClient, inputs iter.Seq[string],
) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.Work(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		credits, err := hello(stream)
		if err != nil {
			yield(nil, err)
			return
		}
		next, stop := iter.Pull(inputs)
		defer stop()
		sent, done, more := 0, 0, true
		for {
			for more && sent-done < credits {
				var input string
				if input, more = next(); !more {
					_ = stream.CloseSend() // always nil
					break
				}
				sent++
				if err := send(stream, sent, input); err != nil {
					yield(nil, err)
					return
				}
			}
			resp, err := stream.Recv()
			if errors.Is(err, io.EOF) && (done < sent || more) {
				err = fmt.Errorf("%d items have no result: %w", sent-done, io.ErrUnexpectedEOF)
			}
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, err)
				return
			case resp.GetDone():
				done++
				if !yield(result(resp), nil) {
					return
				}
			}
		}
	}
}

type clientStream = grpc.BidiStreamingClient[jobsv1.WorkRequest, jobsv1.WorkResponse]

// hello sends the first message, and returns the credits of the answer.
func hello(stream clientStream) (credits int, err error) {
	err = stream.Send(&jobsv1.WorkRequest{Event: &jobsv1.WorkRequest_Hello{
		Hello: &jobsv1.Hello{Versions: []uint32{Version}},
	}})
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	resp, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	w := resp.GetWelcome()
	if w.GetVersion() != Version || w.GetCredits() == 0 {
		return 0, fmt.Errorf("welcome: must have version %d and credits, got version %d and %d credits",
			Version, w.GetVersion(), w.GetCredits())
	}
	return int(w.GetCredits()), nil
}

func send(stream clientStream, item int, input string) error {
	err := stream.Send(&jobsv1.WorkRequest{
		Item: uint64(item), Event: &jobsv1.WorkRequest_Input{Input: input},
	})
	if errors.Is(err, io.EOF) {
		return nil // the stream has ended; Recv returns its status
	}
	return err
}

// result reads the last message of an item.
func result(resp *jobsv1.WorkResponse) *Result {
	r := &Result{Item: resp.GetItem()}
	switch e := resp.GetEvent().(type) {
	case *jobsv1.WorkResponse_Output:
		r.Output = e.Output
	case *jobsv1.WorkResponse_Failure:
		// Code 0 would make a nil error.
		code := codes.Code(cmp.Or(e.Failure.GetCode(), uint32(codes.Unknown)))
		r.Err = status.Error(code, e.Failure.GetMessage())
	default: // the server is newer than this client
		r.Err = status.Error(codes.Unimplemented, "event: must be one that the client knows")
	}
	return r
}
