package clientstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// ChunkSize is how many bytes [Upload] sends in a message: 256 KiB, chosen
// by BenchmarkChunkSize.
const ChunkSize = 256 << 10

// Upload sends what r holds, to be stored as info says, and returns the
// server's receipt. It holds a few chunks in memory, whatever the size.
// After each chunk it calls progress, if not nil, with the number of bytes
// that gRPC has taken so far: they are on their way, not yet stored.
//
// An error of r is returned as it is, and the server drops what it has. If
// the server refuses, Upload returns the server's status, also while r
// still has bytes; it notices between two reads. DataLoss: the receipt is
// not of all bytes, or not of these.
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
			"sha256: sent %x, stored %x", want, receipt.GetSha256())
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
			return nil, err // without a half-close: the file is not whole
		}
		if err := stream.Send(req); errors.Is(err, io.EOF) {
			return nil, reason(stream) // the server has ended the call
		} else if err != nil {
			return nil, err
		}
		sent += int64(len(req.GetChunk()))
		progress(sent)
	}
	return stream.CloseAndRecv()
}

// reason returns why the server ended the call before the client did.
func reason(
	stream grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	_, err := stream.CloseAndRecv()
	if err == nil { // it says OK, and does not have the file
		return status.Error(codes.DataLoss, "the receipt came before the end of the file")
	}
	return err
}
