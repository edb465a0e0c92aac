// Package errortexts produces the error texts that users of gRPC streams
// meet: statuses, errors of the transport, panics, and the stacks of
// goroutines that hang. Its tests write the tables of docs/errors.md.
package errortexts
