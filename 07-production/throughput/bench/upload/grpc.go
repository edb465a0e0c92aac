package upload

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// A grpcStream is an upload as chapter 03 specifies it, in one of several
// ways.
type grpcStream struct {
	chunk           int  // bytes in one message
	newBuffers      bool // for each chunk; else one buffer for all
	prepared        bool // the client encodes each message with grpc.PreparedMsg
	zeroCopySend    bool
	zeroCopyReceive bool
	options         loopback.Options
}

func (g grpcStream) start(r *harness.Run, w work) (harness.Do, error) {
	o := g.options
	if g.zeroCopyReceive {
		o.Server = append(o.Server, grpc.ForceServerCodecV2(newCodec()))
	}
	conn, err := loopback.GRPC(r, func(s grpc.ServiceRegistrar) {
		uploadv1.RegisterUploadServiceServer(s, &server{work: w, zeroCopy: g.zeroCopyReceive})
	}, o)
	if err != nil {
		return nil, err
	}
	client := uploadv1.NewUploadServiceClient(conn)
	var call []grpc.CallOption
	if g.zeroCopySend {
		call = append(call, grpc.ForceCodecV2(newCodec()))
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
	if g.zeroCopySend {
		return g.sendZeroCopy(stream, source)
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

// sendZeroCopy reads each chunk into a buffer that grpc-go sends as it is.
func (g grpcStream) sendZeroCopy(stream clientStream, source io.Reader) error {
	pool := new(chunkPool)
	for {
		buffer := pool.Get(g.chunk)
		n, err := io.ReadFull(source, *buffer)
		if n == 0 || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			pool.Put(buffer)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		*buffer = (*buffer)[:n]
		if err := stream.SendMsg(&rawChunk{data: mem.BufferSlice{mem.NewBuffer(buffer, pool)}}); err != nil {
			return err
		}
	}
}

// A server receives uploads into a sink. Its methods may be called
// concurrently.
type server struct {
	uploadv1.UnimplementedUploadServiceServer

	work     work
	zeroCopy bool
}

func (s *server) Upload(stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]) error {
	sink := s.work.sink()
	if _, err := stream.Recv(); err != nil { // the info
		return err
	}
	receive := receivePlain
	if s.zeroCopy {
		receive = receiveZeroCopy
	}
	for {
		err := receive(stream, sink)
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(sink.receipt())
		}
		if err != nil {
			return err
		}
	}
}

type serverStream = grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]

func receivePlain(stream serverStream, w io.Writer) error {
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	_, err = w.Write(m.GetChunk())
	return err
}

// receiveZeroCopy writes the buffers into which grpc-go has read the frames.
func receiveZeroCopy(stream serverStream, w io.Writer) error {
	var m rawChunk
	if err := stream.RecvMsg(&m); err != nil {
		return err
	}
	defer m.data.Free()
	for _, buffer := range m.data {
		if _, err := w.Write(buffer.ReadOnlyData()); err != nil {
			return err
		}
	}
	return nil
}
