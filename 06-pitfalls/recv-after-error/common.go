package recvaftererror

import (
	"context"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type count = func(_ context.Context, _ pitfallsv1.PitfallServiceClient, handle func(int64), warn func(error)) error

// secondIsLarge sends three numbers. The second has 5 MiB of padding.
func secondIsLarge(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	for i, padding := range []int{0, 5 << 20, 0} {
		n := &pitfallsv1.Number{Value: int64(i) + 1, Padding: make([]byte, padding)}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	return nil
}

// maxErrors is the number of errors after which run cancels, because the
// broken code does not end by itself.
const maxErrors = 1000

// A record has the results of the calls of Recv.
type record struct {
	sent    []int64
	strange int // how many numbers nobody sent
	errs    []error
}

// run returns what count receives. It cancels count after maxErrors errors.
func run(ctx context.Context, c pitfallsv1.PitfallServiceClient, count count) (record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var r record
	handle := func(n int64) {
		if n == 0 {
			r.strange++
			return
		}
		r.sent = append(r.sent, n)
		time.Sleep(100 * time.Millisecond) // meanwhile a part of the next number arrives
	}
	warn := func(err error) {
		if r.errs = append(r.errs, err); len(r.errs) == maxErrors {
			cancel()
		}
	}
	err := count(ctx, c, handle, warn)
	return r, err
}
