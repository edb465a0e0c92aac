package fastupload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// ChunkSize is the number of bytes that [Upload] sends in one message, as in
// chapter 03: 256 KiB.
const ChunkSize = clientstream.ChunkSize

// Upload does what [clientstream.Upload] does, with the same progress and the
// same errors. It reads each chunk into a buffer that gRPC, with the Codec, gives back
// when it no longer needs the chunk.
//
// A stats handler or an interceptor must not use a message after it has
// returned, because its buffer may then belong to another chunk.
func Upload(
	ctx context.Context, c uploadv1.UploadServiceClient,
	info *uploadv1.FileInfo, r io.Reader, progress func(sent int64),
) (*uploadv1.UploadReceipt, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // an error of r must not look like the end of the file
	stream, err := c.Upload(ctx)
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(int64) {}
	}
	hash := sha256.New()
	receipt, err := send(stream, info, io.TeeReader(r, hash), progress)
	if err != nil {
		return nil, err
	}
	if want := hash.Sum(nil); !bytes.Equal(receipt.GetSha256(), want) {
		return nil, status.Errorf(codes.DataLoss,
			"sha256: must be %x, got %x", want, receipt.GetSha256())
	}
	return receipt, nil
}

// send sends the messages and waits for the receipt.
func send(
	stream grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt],
	info *uploadv1.FileInfo, r io.Reader, progress func(int64),
) (*uploadv1.UploadReceipt, error) {
	var sent int64
	err := stream.Send(&uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{Info: info}})
	for err == nil {
		progress(sent)
		if sent%ChunkSize != 0 {
			break // the last chunk was short: r has ended
		}
		chunk, readErr := ReadChunk(r)
		if readErr != nil {
			return nil, readErr // without a half-close: the file is not complete
		}
		if chunk == nil {
			break // r has ended
		}
		sent += int64(chunk.Len())
		err = SendChunk(stream, chunk)
	}
	if errors.Is(err, io.EOF) {
		return nil, reason(stream) // the RPC has ended; ask why
	}
	if err != nil {
		return nil, err
	}
	receipt, err := stream.CloseAndRecv()
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable,
		codes.Internal, codes.Unknown: // of the server, or of what resets a stream
		return nil, fmt.Errorf("%w: %w", clientstream.ErrNoReceipt, err)
	}
	return receipt, err
}

// ReadChunk reads the next chunk of r into a buffer of a pool: [ChunkSize]
// bytes, or fewer at the end of r. It returns nil if r has no more bytes. The
// caller passes the chunk to [SendChunk], or calls Free.
func ReadChunk(r io.Reader) (mem.Buffer, error) {
	buf := chunks.Get(ChunkSize)
	n, err := fill(*buf, r)
	if err != nil || n == 0 {
		chunks.Put(buf)
		return nil, err
	}
	*buf = (*buf)[:n]
	return mem.NewBuffer(buf, &chunks), nil
}

// SendChunk sends a chunk that the codec does not copy. From then on the chunk
// belongs to gRPC, which, with the Codec, frees it when it no longer needs it. SendChunk returns
// io.EOF if the RPC has ended; CloseAndRecv says why.
func SendChunk(
	stream grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt], chunk mem.Buffer,
) error {
	return stream.SendMsg(&outgoing{chunk: chunk})
}

// fill reads from r until chunk is full or r ends. It is the fill of chapter
// 03, which says why it does not use [io.ReadFull].
func fill(chunk []byte, r io.Reader) (n int, err error) {
	for n < len(chunk) {
		m, err := r.Read(chunk[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// reason returns why the RPC ended before the half-close.
func reason(
	stream grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	_, err := stream.CloseAndRecv()
	if err == nil { // the server reports OK, but it does not have the file
		return status.Error(codes.DataLoss, "receipt: must come after the end of the file")
	}
	return err
}
