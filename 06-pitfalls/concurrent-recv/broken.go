// Package concurrentrecv reads one stream in two goroutines.
//
// Symptom: numbers that nobody sent, "Internal: unexpected EOF", or a Recv
// that neither the end of the stream nor a cancel ends.
//
// Cause: a message is read in steps, its 5-byte header and then its body,
// and nothing keeps the steps of two calls of Recv apart. A body that comes
// in several frames is then read as headers. The end of the stream is one
// item in a queue, so that it wakes one of two waiting calls.
//
// Silence: the compiler and vet do not know that Recv has one caller at a
// time. The race detector does report it, if a test gets that far.
//
// Fix: one goroutine calls Recv and hands the messages to the workers.
//
// Source: "it is not safe to call RecvMsg on the same stream in different
// goroutines", [grpc.ClientStream] of v1.85.0.
package concurrentrecv

import (
	"cmp"
	"context"
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle with the numbers that req asks for, in two
// workers. It returns when both have ended.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, handle func(int64),
) error {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	errs := make(chan error, 2)
	worker := func() {
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				errs <- nil
				return
			}
			if err != nil {
				errs <- err
				return
			}
			handle(n.GetValue())
		}
	}
	go worker()
	go worker()
	return cmp.Or(<-errs, <-errs)
}
