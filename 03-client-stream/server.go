// Package clientstream uploads files: a stream of chunks up, one receipt
// back.
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

// DefaultMaxBytes is the size of the largest file that a server takes
// unless told otherwise: 1 GiB.
const DefaultMaxBytes = 1 << 30

// UploadServer stores what it is sent as files of one directory.
type UploadServer struct {
	uploadv1.UnimplementedUploadServiceServer

	// Root is the directory. Its file system must have hard links.
	Root *os.Root

	// MaxBytes is the size of the largest file. Zero: [DefaultMaxBytes].
	MaxBytes int64
}

// Upload stores one file: the first message says its name, the others
// hold its bytes. The file gets its name after the half-close, whole and
// on the disk; an upload that ends in any other way leaves nothing. Two
// uploads of one name may run at once: without replace the first to be
// whole wins, with it the last.
//
// InvalidArgument: a name that may not be stored, a message out of place,
// an empty chunk, or bytes that are not as many as declared. AlreadyExists:
// the name is taken. ResourceExhausted: the file exceeds MaxBytes, a
// message exceeds what gRPC takes, or the disk is full. PermissionDenied,
// Internal: the directory does not work. Canceled, DeadlineExceeded: the
// client went away.
func (s *UploadServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	in, err := s.begin(stream)
	if err != nil {
		return err
	}
	defer in.discard()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) { // the half-close: the file is whole
			break
		}
		if err != nil {
			return err // cancelled, or the connection broke
		}
		if err := in.write(req); err != nil {
			return err // the client is told while it still sends
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

// toStatus chooses the code that tells the client what to do about err.
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
