package clientstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// ChunkSize is the number of bytes of each chunk that [Upload] sends, except
// the last, which may be smaller: 256 KiB. BenchmarkChunkSize compares sizes.
const ChunkSize = 256 << 10

// ErrNoReceipt in an error of [Upload] means that the file may be stored:
// gRPC had accepted all of it, and then the call ended with a code that need
// not be an answer of the server, such as Unavailable or Internal.
var ErrNoReceipt = errors.New("no receipt: the file may be stored")

// Upload sends the bytes of r, asks the server to store them as info says,
// and returns the server's receipt. The memory that Upload needs does not
// grow with the file. Upload does not close r, and it does not use r after it
// has returned.
//
// After each message, Upload calls progress with the number of bytes of r
// that gRPC has accepted so far. The server may not have received them yet.
// Upload waits while progress runs. If progress is nil, Upload does not call
// it.
//
// Upload has no time limit of its own: the caller cancels ctx if progress is
// not called for too long. While Upload reads a chunk from r, which may
// take several Reads, it notices neither the end of ctx nor a refusal. The
// server may refuse an upload if r needs too long for a chunk (see
// [UploadServer.IdleTimeout]).
//
// DataLoss: Upload noticed a receipt before the end of r, or the receipt's
// SHA-256 differs from that of r. Any other error comes from r, or is the
// status that ended the call. The file is not stored after an error of r, nor
// after another status without [ErrNoReceipt], unless a proxy chose the code,
// a retry policy repeated the call, or the disk was full just after the file
// got its name.
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
	receipt, err := send(stream, requests(info, io.TeeReader(r, hash), ChunkSize), progress)
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
	messages iter.Seq2[*uploadv1.UploadRequest, error], progress func(int64),
) (*uploadv1.UploadReceipt, error) {
	var sent int64
	for req, err := range messages {
		if err != nil {
			return nil, err // no half-close: Upload cancels the call
		}
		if err := stream.Send(req); errors.Is(err, io.EOF) {
			return nil, reason(stream) // the RPC has ended; ask why
		} else if err != nil {
			return nil, err // from the client's own side
		}
		sent += int64(len(req.GetChunk()))
		progress(sent)
	}
	receipt, err := stream.CloseAndRecv()
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable,
		codes.Internal, codes.Unknown: // of the server, or of what resets a stream
		return nil, fmt.Errorf("%w: %w", ErrNoReceipt, err)
	}
	return receipt, err
}

// reason returns why the RPC ended before the half-close. A break out of the
// loop of send, to its CloseAndRecv, would trust a receipt that comes too
// early.
func reason(
	stream grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	_, err := stream.CloseAndRecv()
	return early(err)
}

// early returns the error of an RPC that ended before the half-close.
func early(err error) error {
	if err == nil { // the server reports OK, but it does not have the file
		return status.Error(codes.DataLoss, "receipt: must come after the end of the file")
	}
	return err
}
