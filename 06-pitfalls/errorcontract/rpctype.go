package errorcontract

import (
	"context"
	"math"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Sizes of messages. The varint of a number takes one byte or nine, and its
// tag one more.
const (
	small = 1
	large = math.MaxInt64
	limit = 9 // bytes; between the two
)

// An rpcType is a type of streaming RPC, with the calls that its two ends
// have. The functions take the size of a message, because nothing else about a
// message matters.
type rpcType struct {
	name  string
	one   bool // there is one response
	calls []string
	open  func(context.Context, pitfallsv1.PitfallServiceClient, int64) (*clientEnd, error)
}

var rpcTypes = []rpcType{
	{"server stream", false, []string{
		"open", "Recv", "CloseSend", "Header", "Trailer",
		"handler Send", "handler Context",
	}, openCount},
	{"client stream", true, []string{
		"open", "Send", "CloseAndRecv", "CloseSend", "Header", "Trailer",
		"handler Recv", "handler SendAndClose", "handler Context",
	}, openSum},
	{"bidi stream", false, []string{
		"open", "Send", "Recv", "CloseSend", "Header", "Trailer",
		"handler Recv", "handler Send", "handler Context",
	}, openEcho},
}

var serverStream, clientStream, bidi = rpcTypes[0], rpcTypes[1], rpcTypes[2]

// A clientEnd is the client's side of a stream.
type clientEnd struct {
	grpc.ClientStream
	send func(int64) error // nil: opening sends the request
	recv func() error
	one  bool // recv returns the only response
}

// A serverEnd is the handler's side of a stream.
type serverEnd struct {
	grpc.ServerStream
	recv func() error // nil: the handler has its request
	send func(int64) error
	one  bool // send sends the only response
}

func openCount(ctx context.Context, c pitfallsv1.PitfallServiceClient, size int64) (*clientEnd, error) {
	s, err := c.Count(ctx, &pitfallsv1.CountRequest{To: size})
	if err != nil {
		return nil, err
	}
	return &clientEnd{ClientStream: s, recv: receiver(s.Recv)}, nil
}

func openSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, _ int64) (*clientEnd, error) {
	s, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	return &clientEnd{s, sender(s.Send), receiver(s.CloseAndRecv), true}, nil
}

func openEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, _ int64) (*clientEnd, error) {
	s, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	return &clientEnd{s, sender(s.Send), receiver(s.Recv), false}, nil
}

func sender(send func(*pitfallsv1.Number) error) func(int64) error {
	return func(size int64) error { return send(&pitfallsv1.Number{Value: size}) }
}

func receiver[T any](recv func() (*T, error)) func() error {
	return func() error { _, err := recv(); return err }
}

// stub returns a service with one handler for the streams of every RPC type.
func stub(handle func(*serverEnd) error) *service.Server {
	return &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, s grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return handle(&serverEnd{ServerStream: s, send: sender(s.Send)})
		},
		OnSum: func(s grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			send := func(size int64) error { return s.SendAndClose(&pitfallsv1.SumResponse{Sum: size}) }
			return handle(&serverEnd{s, receiver(s.Recv), send, true})
		},
		OnEcho: func(s grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			return handle(&serverEnd{s, receiver(s.Recv), sender(s.Send), false})
		},
	}
}
