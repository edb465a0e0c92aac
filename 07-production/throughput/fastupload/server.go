// Package fastupload is the upload of chapter 03, with fewer copies: neither
// the codec nor package proto copies a chunk. The transport of grpc-go still
// copies it into a write buffer, and out of a read buffer.
//
// Client and server speak the protocol of chapter 03, so that each of them
// works with the other side of chapter 03 too. Package main installs
// [example.com/streams/07-production/throughput/bufcodec.Codec]; without it,
// chunks are copied as in chapter 03.
package fastupload

import (
	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// An UploadServer is the server of chapter 03, with another Recv. See
// [clientstream.UploadServer] for the fields, the statuses and the limits.
// Methods may be called concurrently.
type UploadServer struct {
	clientstream.UploadServer
}

// Upload stores one file, and returns the status codes of chapter 03. The text
// of a refusal may name fewer bytes, because the handler gets a chunk in pieces.
func (s *UploadServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	return s.UploadServer.Upload(Receive(stream))
}

// Receive returns a stream whose Recv does not copy chunks: it returns the
// pieces in which the transport received a chunk, usually of up to 16 KiB, as
// requests of their own. A request, and the bytes of its chunk, are valid
// until the next Recv. All else is as in stream. Use only Recv to receive.
//
// Stats handlers and interceptors of the server see each chunk once, as a
// whole, in a message that is not a *uploadv1.UploadRequest but a
// proto.Message with the same fields. It too is valid until the next Recv.
//
// If the handler returns before Recv returned an error, the buffers that it
// holds do not go back to the transport's pool, but to the garbage collector.
func Receive(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt] {
	return &receiver{
		ClientStreamingServer: stream,
		message:               incoming{UploadRequest: new(uploadv1.UploadRequest)},
	}
}

type receiver struct {
	grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]

	message incoming // the last one
	next    int      // the index of its next piece
	piece   uploadv1.UploadRequest
	chunk   uploadv1.UploadRequest_Chunk
}

func (r *receiver) Recv() (*uploadv1.UploadRequest, error) {
	if r.next >= len(r.message.pieces) {
		r.message.free() // before RecvMsg waits
		r.next = 0
		if err := r.RecvMsg(&r.message); err != nil {
			return nil, err
		}
		if len(r.message.pieces) == 0 {
			return r.message.UploadRequest, nil
		}
	}
	r.chunk.Chunk = r.message.pieces[r.next].ReadOnlyData()
	r.piece.Content = &r.chunk
	r.next++
	return &r.piece, nil
}
