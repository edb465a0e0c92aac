package errortexts

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// statuses are what the client's calls return, if the two processes have no
// trouble with their connection.
var statuses = []text{
	{
		shows: `rpc error: code = Unknown desc = boom`,
		means: "The handler returned an error that is no status. Return a status on purpose.",
		pages: "[plain-error](../06-pitfalls/plain-error/README.md)",
		produce: counting(func(grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return errors.New("boom")
		}),
	},
	{
		shows:   `rpc error: code = Unknown desc = EOF`,
		means:   "The handler returned the `io.EOF` of its `Recv`. Return nil when the client has half-closed.",
		pages:   "[handler-returns-eof](../06-pitfalls/handler-returns-eof/README.md)",
		produce: counting(func(grpc.ServerStreamingServer[pitfallsv1.Number]) error { return io.EOF }),
	},
}
