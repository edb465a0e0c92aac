package upload

import (
	"context"
	"errors"
	"io"

	"connectrpc.com/connect"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// connectStream is the same client stream with connect-go, in its own
// protocol, over HTTP/2.
func connectStream(chunk int) startFunc {
	return func(r *harness.Run, w work) (harness.Do, error) {
		handler := connect.NewClientStreamHandler(uploadv1.UploadService_Upload_FullMethodName, connectHandler(w))
		url, httpClient, err := loopback.HTTP(r, handler, loopback.HTTPOptions{HTTP2: true})
		if err != nil {
			return nil, err
		}
		client := connect.NewClient[uploadv1.UploadRequest, uploadv1.UploadReceipt](
			httpClient, url+uploadv1.UploadService_Upload_FullMethodName)
		return w.do(r, func(ctx context.Context, source io.Reader, _ int64) (*uploadv1.UploadReceipt, error) {
			stream := client.CallClientStream(ctx)
			if err := sendAll(source, chunk, stream.Send); err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			response, err := stream.CloseAndReceive()
			if err != nil {
				return nil, err
			}
			return response.Msg, nil
		}), nil
	}
}

type connectStreamServer = connect.ClientStream[uploadv1.UploadRequest]

func connectHandler(w work) func(context.Context, *connectStreamServer) (*connect.Response[uploadv1.UploadReceipt], error) {
	return func(_ context.Context, stream *connectStreamServer) (*connect.Response[uploadv1.UploadReceipt], error) {
		s := w.sink()
		for stream.Receive() {
			_, _ = s.Write(stream.Msg().GetChunk()) // never fails
		}
		if err := stream.Err(); err != nil {
			return nil, err
		}
		return connect.NewResponse(s.receipt()), nil
	}
}

// sendAll sends the source in chunks from one buffer.
func sendAll(source io.Reader, chunk int, send func(*uploadv1.UploadRequest) error) error {
	buffer := make([]byte, chunk)
	for {
		n, err := io.ReadFull(source, buffer)
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		err = send(&uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: buffer[:n]}})
		if err != nil {
			return err
		}
	}
}
