package travels

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// The four RPC types, and a half-close. Each client and each handler is
// written as in a program, without a trace of the recorder.
var rpcTypes = []scenario{
	{name: "unary", client: callUnary, handler: unaryHandler{}},
	{name: "server stream", client: callServerStream, handler: serverStreamHandler{}},
	{name: "client stream", client: callClientStream, handler: clientStreamHandler{}},
	{name: "bidi", client: callBidi, handler: bidiHandler{}},
	{name: "half-close", client: callHalfClose, handler: halfCloseHandler{}},
}

func callUnary(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	_, err := c.Ping(ctx, &pitfallsv1.PingRequest{})
	return err
}

type unaryHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (unaryHandler) Ping(
	ctx context.Context, req *pitfallsv1.PingRequest,
) (*pitfallsv1.PingResponse, error) {
	return &pitfallsv1.PingResponse{OpenStreams: 7}, nil
}

func callServerStream(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 2})
	if err != nil {
		return err
	}
	return recvAll(stream)
}

// recvAll receives until the RPC has ended. It returns nil if it ended with OK.
func recvAll(stream grpc.ServerStreamingClient[pitfallsv1.Number]) error {
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type serverStreamHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (serverStreamHandler) Count(
	req *pitfallsv1.CountRequest,
	stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := range req.GetTo() {
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}

func callClientStream(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for i := range int64(2) {
		err := stream.Send(&pitfallsv1.Number{Value: i + 1})
		if errors.Is(err, io.EOF) {
			break // CloseAndRecv returns the status
		}
		if err != nil {
			return err
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

type clientStreamHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (clientStreamHandler) Sum(
	stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
) error {
	var sum int64
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pitfallsv1.SumResponse{Sum: sum})
		}
		if err != nil {
			return err
		}
		sum += n.GetValue()
	}
}

func callBidi(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil { // the client has sent nothing yet
		return err
	}
	if err := stream.Send(&pitfallsv1.Number{Value: 2}); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return recvAll(stream)
}

type bidiHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (bidiHandler) Echo(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
) error {
	n := &pitfallsv1.Number{Value: 1}
	for {
		if err := stream.Send(n); err != nil {
			return err
		}
		var err error
		n, err = stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func callHalfClose(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return recvAll(stream)
}

type halfCloseHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (halfCloseHandler) Echo(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
) error {
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return err
	}
	for i := range int64(2) { // the other direction is still open
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}
