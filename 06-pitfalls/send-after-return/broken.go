// Package sendafterreturn sends from a goroutine that outlives the handler.
//
// Symptom: the client gets OK and no messages; the server logs "Canceled:
// context canceled", though nobody cancelled.
//
// Cause: the return of the handler is the end of the RPC. grpc-go sends the
// status that was returned and cancels the stream's context, and from then
// on Send and Recv return Canceled. What the goroutine sent before the
// return still arrives, so that how much is lost is a matter of luck.
//
// Silence: a goroutine may outlive the function that starts it, and Send is
// safe to call then: no panic, no race.
//
// Fix: the handler returns when the last goroutine that uses the stream has
// ended.
//
// Threads: grpc-go#1234, grpc-go#7460.
package sendafterreturn

import (
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount sends a number every 100 ms, and calls failed if it cannot.
func BrokenCount(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	failed func(error),
) error {
	go func() {
		for i := range req.GetTo() {
			time.Sleep(100 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				failed(err)
				return
			}
		}
	}()
	return nil
}
