package sendafterreturn

import (
	"sync"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount sends a number every 100 ms. It calls failed with the error of
// the first Send that fails.
func FixedCount(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	failed func(error),
) error {
	var sender sync.WaitGroup
	var err error
	sender.Go(func() {
		for i := range req.GetTo() {
			time.Sleep(100 * time.Millisecond)
			if err = stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				failed(err)
				return
			}
		}
	})
	sender.Wait()
	return err
}
