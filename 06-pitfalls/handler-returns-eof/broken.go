// Package handlerreturnseof returns the io.EOF of Recv from a handler.
//
// Symptom: the client gets every answer, and then "Unknown: EOF".
//
// Cause: on the server io.EOF means that the client has sent everything. It
// is no failure, and the handler's nil is what becomes OK. Returned as an
// error, it has no status, so that it becomes Unknown with the text "EOF".
// The client's own io.EOF is made from OK; this one is not that.
//
// Silence: "if err != nil, return err" is how Go is written everywhere else.
// A client that ends its loop on any error does not notice.
//
// Fix: return nil on io.EOF, before any other error.
//
// Threads: grpc-go#3325.
package handlerreturnseof

import (
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends back what it gets.
func BrokenEcho(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	for {
		n, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
