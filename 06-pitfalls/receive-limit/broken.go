// Package receivelimit sends data in one message, however large it is.
//
// Symptom: uploads work until one is larger than 4 MiB; then Send says that
// all is well, and the call ends with ResourceExhausted.
//
// Cause: a receiver refuses a message of more than 4 MiB, 4,194,304 bytes, by
// its length, before it reads the rest. The limit to send is 2 GiB, so that
// Send neither knows nor waits to hear of it. The limit is the receiver's: a
// server's own MaxSendMsgSize, or a client's MaxCallRecvMsgSize, does nothing
// for messages that the client sends.
//
// Silence: the size of data is not in its type, and test data is small.
//
// Fix: send large data in pieces, of which both sides hold one at a time.
// Raise the limit (MaxRecvMsgSize, MaxCallRecvMsgSize) only if you can pay
// that much memory for each call at once.
//
// Threads: grpc-go#3134.
package receivelimit

import (
	"context"
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenUpload sends data and returns how many bytes of it the server got.
func BrokenUpload(ctx context.Context, c pitfallsv1.PitfallServiceClient, data []byte) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	err = stream.Send(&pitfallsv1.Number{Padding: data})
	if err != nil && !errors.Is(err, io.EOF) { // CloseAndRecv has the status
		return 0, err
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
