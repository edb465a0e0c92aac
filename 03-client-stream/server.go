// Package clientstream uploads files: the client streams a file in chunks,
// and the server answers once, with a receipt.
package clientstream

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// DefaultMaxBytes is the size limit of a file for a server that sets no
// other: 1 GiB.
const DefaultMaxBytes = 1 << 30

// UploadServer implements UploadService. It stores files in one directory.
// The zero value is not useful, because Root must be set. Upload may be
// called concurrently, but the fields must not change after the first call.
type UploadServer struct {
	uploadv1.UnimplementedUploadServiceServer

	// Root is the directory. Its file system must support hard links.
	// UploadServer does not close Root.
	Root *os.Root

	// MaxBytes is the size limit of a file. Zero means [DefaultMaxBytes].
	MaxBytes int64
}

// Upload stores one file. The first message carries the name of the file,
// and all later messages carry its bytes. After the client's half-close,
// Upload writes the bytes to the disk, gives the file its name, and sends
// the receipt. An upload that ends in any other way leaves nothing.
//
// Uploads of the same name may run at the same time. Of uploads without
// replace, the first that is complete is stored and the others fail with
// AlreadyExists. Of uploads with replace, the last that is complete stays.
//
// Upload returns these status codes:
//   - InvalidArgument: the name is not valid, the messages are out of order,
//     a chunk is empty, or the declared size is wrong.
//   - AlreadyExists: the name is in use, and replace is not set or what has
//     the name is not a file.
//   - ResourceExhausted: the file exceeds MaxBytes, a message exceeds the
//     limit of gRPC, or the disk is full (on Windows: Internal).
//   - PermissionDenied, Internal: the server cannot write to its directory.
//   - Canceled, DeadlineExceeded: the call was canceled, or its deadline
//     passed.
func (s *UploadServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	in, err := s.begin(stream)
	if err != nil {
		return err
	}
	defer in.file.discard()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) { // the half-close: the file is complete
			break
		}
		if err != nil {
			return err // canceled, or the connection broke
		}
		if err := in.write(req); err != nil {
			return err // the client learns of it while it still sends
		}
	}
	receipt, err := in.finish()
	if err != nil {
		return err
	}
	return stream.SendAndClose(receipt)
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// toStatus returns an error of the file system as a status.
func toStatus(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, fs.ErrPermission):
		return status.Error(codes.PermissionDenied, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
