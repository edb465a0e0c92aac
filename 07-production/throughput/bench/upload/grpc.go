package upload

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastupload"
)

// A grpcStream is an upload as chapter 03 specifies it, in one of several
// ways.
type grpcStream struct {
	chunk       int  // bytes in one message
	newBuffers  bool // for each chunk; else one buffer for all
	prepared    bool // the client encodes each message with grpc.PreparedMsg
	fastSend    bool // chunks of 256 KiB that grpc-go does not copy
	fastReceive bool // the server reads chunks where grpc-go has received them
	ownPool     bool // the server receives frames into buffers that nobody clears
	options     loopback.Options
}

func (g grpcStream) start(r *harness.Run, w work) (harness.Do, error) {
	o := g.options
	if g.fastReceive {
		o.Server = append(o.Server, grpc.ForceServerCodecV2(bufcodec.Codec{}))
	}
	if g.ownPool {
		o.Server = append(o.Server, fastupload.ServerOption())
	}
	conn, err := loopback.GRPC(r, func(s grpc.ServiceRegistrar) {
		uploadv1.RegisterUploadServiceServer(s, &server{work: w, fast: g.fastReceive})
	}, o)
	if err != nil {
		return nil, err
	}
	client := uploadv1.NewUploadServiceClient(conn)
	var call []grpc.CallOption
	if g.fastSend {
		call = append(call, grpc.ForceCodecV2(bufcodec.Codec{}))
	}
	return w.do(r, func(ctx context.Context, source io.Reader, size int64) (*uploadv1.UploadReceipt, error) {
		stream, err := client.Upload(ctx, call...)
		if err != nil {
			return nil, err
		}
		err = stream.Send(&uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{
			Info: &uploadv1.FileInfo{Name: "file", Size: &size},
		}})
		if err == nil {
			err = g.send(stream, source)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return stream.CloseAndRecv() // also with the status, if Send has returned io.EOF
	}), nil
}

type clientStream = grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt]

// send returns io.EOF if the server has ended the RPC.
func (g grpcStream) send(stream clientStream, source io.Reader) error {
	if g.fastSend {
		return sendFast(stream, source)
	}
	buffer := make([]byte, g.chunk)
	for {
		if g.newBuffers {
			buffer = make([]byte, g.chunk)
		}
		n, err := io.ReadFull(source, buffer)
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if err := g.sendChunk(stream, buffer[:n]); err != nil {
			return err
		}
	}
}

func (g grpcStream) sendChunk(stream clientStream, chunk []byte) error {
	m := &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: chunk}}
	if !g.prepared {
		return stream.Send(m)
	}
	var encoded grpc.PreparedMsg
	if err := encoded.Encode(stream, m); err != nil {
		return err
	}
	return stream.SendMsg(&encoded)
}

// sendFast sends as package fastupload does, but without a hash, because the
// other contenders have none in the client.
func sendFast(stream clientStream, source io.Reader) error {
	for {
		chunk, err := fastupload.ReadChunk(source)
		if chunk == nil || err != nil {
			return err
		}
		if err := fastupload.SendChunk(stream, chunk); err != nil {
			return err
		}
	}
}

// A server receives uploads into a sink. Its methods may be called
// concurrently.
type server struct {
	uploadv1.UnimplementedUploadServiceServer

	work work
	fast bool
}

func (s *server) Upload(stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]) error {
	if s.fast {
		stream = fastupload.Receive(stream)
	}
	sink := s.work.sink()
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(sink.receipt())
		}
		if err != nil {
			return err
		}
		_, _ = sink.Write(m.GetChunk()) // the info has none; Write never fails
	}
}
