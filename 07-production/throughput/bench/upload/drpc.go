package upload

import (
	"context"
	"errors"
	"io"
	"net"

	"google.golang.org/protobuf/proto"
	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcserver"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// drpcStream is the same client stream with drpc, which has a protocol of
// its own directly on TCP.
func drpcStream(chunk int) startFunc {
	return func(r *harness.Run, w work) (harness.Do, error) {
		server := drpcserver.New(drpcHandler{w})
		addr, err := loopback.TCP(r, func(conn net.Conn) error {
			_ = server.ServeOne(r.Context, conn) // the client has closed the connection
			return nil
		})
		if err != nil {
			return nil, err
		}
		tcp, err := new(net.Dialer).DialContext(r.Context, "tcp", addr)
		if err != nil {
			return nil, err
		}
		conn := drpcconn.New(tcp)
		r.Defer(conn.Close)
		return w.do(r, func(ctx context.Context, source io.Reader, _ int64) (*uploadv1.UploadReceipt, error) {
			stream, err := conn.NewStream(ctx, uploadv1.UploadService_Upload_FullMethodName, drpcEncoding{})
			if err != nil {
				return nil, err
			}
			defer stream.Close()
			err = sendAll(source, chunk, func(m *uploadv1.UploadRequest) error {
				return stream.MsgSend(m, drpcEncoding{})
			})
			if err != nil {
				return nil, err
			}
			if err := stream.CloseSend(); err != nil {
				return nil, err
			}
			receipt := new(uploadv1.UploadReceipt)
			return receipt, stream.MsgRecv(receipt, drpcEncoding{})
		}), nil
	}
}

// A drpcHandler receives uploads. Its methods may be called concurrently.
type drpcHandler struct{ work work }

// HandleRPC receives one upload.
func (h drpcHandler) HandleRPC(stream drpc.Stream, _ string) error {
	s := h.work.sink()
	for {
		m := new(uploadv1.UploadRequest)
		err := stream.MsgRecv(m, drpcEncoding{})
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		_, _ = s.Write(m.GetChunk()) // never fails
	}
	if err := stream.MsgSend(s.receipt(), drpcEncoding{}); err != nil {
		return err
	}
	return stream.CloseSend()
}

// drpcEncoding encodes messages as protobuf.
type drpcEncoding struct{}

// Marshal encodes a message.
func (drpcEncoding) Marshal(m drpc.Message) ([]byte, error) { return proto.Marshal(m.(proto.Message)) }

// MarshalAppend encodes a message behind other bytes, as drpc's own
// generated code does.
func (drpcEncoding) MarshalAppend(b []byte, m drpc.Message) ([]byte, error) {
	return proto.MarshalOptions{}.MarshalAppend(b, m.(proto.Message))
}

// Unmarshal decodes a message.
func (drpcEncoding) Unmarshal(b []byte, m drpc.Message) error {
	return proto.Unmarshal(b, m.(proto.Message))
}
