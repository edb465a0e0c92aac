package message

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// A server counts and returns payloads. Its methods may be called
// concurrently.
type server struct {
	benchv1.UnimplementedBenchServiceServer
}

func (server) Send(_ context.Context, p *benchv1.Payload) (*benchv1.Receipt, error) {
	return &benchv1.Receipt{Count: 1, Bytes: int64(len(p.GetData()))}, nil
}

func (server) Download(req *benchv1.DownloadRequest, stream grpc.ServerStreamingServer[benchv1.Payload]) error {
	p := &benchv1.Payload{Data: make([]byte, req.GetSize())}
	for range req.GetCount() {
		if err := stream.Send(p); err != nil {
			return err
		}
	}
	return nil
}

func (server) Upload(stream grpc.ClientStreamingServer[benchv1.Payload, benchv1.Receipt]) error {
	receipt := new(benchv1.Receipt)
	for {
		p, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(receipt)
		}
		if err != nil {
			return err
		}
		receipt.Count++
		receipt.Bytes += int64(len(p.GetData()))
	}
}

func (server) Echo(stream grpc.BidiStreamingServer[benchv1.Payload, benchv1.Payload]) error {
	for {
		p, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(p); err != nil {
			return err
		}
	}
}
