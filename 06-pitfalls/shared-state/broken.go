// Package sharedstate keeps the state of a stream in its service.
//
// Symptom: with one client all sums are right; with two at once, each has
// some of the other's numbers. A map in that place ends the process, "fatal
// error: concurrent map writes".
//
// Cause: you register one value, and it serves all streams, each in a
// goroutine of its own. Its fields are theirs together. A lock around each
// access would please the race detector, and the sums would stay wrong.
//
// Silence: a test with one stream at a time passes. The race detector reports
// it, if two streams of a test are open at once.
//
// Fix: what belongs to a stream is a variable of its handler. What belongs to
// all is a field with a lock, which is not held across Send or Recv.
//
// Threads: grpc-go#1751.
package sharedstate

import (
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenAdder adds up what its clients send.
type BrokenAdder struct {
	response *pitfallsv1.SumResponse
}

// Sum is the handler.
func (a *BrokenAdder) Sum(stream sumStream) error {
	a.response = &pitfallsv1.SumResponse{}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(a.response)
		}
		if err != nil {
			return err
		}
		a.response.Sum += n.GetValue()
		a.response.Count++
	}
}
