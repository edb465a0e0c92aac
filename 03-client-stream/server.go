// Package clientstream uploads a file: the client sends a request for each
// chunk, and the server sends a receipt when the file is stored.
package clientstream

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// DefaultMaxBytes is the default of [UploadServer.MaxBytes]: 1 GiB.
const DefaultMaxBytes = 1 << 30

// DefaultIdleTimeout is the default of [UploadServer.IdleTimeout].
const DefaultIdleTimeout = time.Minute

// An UploadServer implements UploadService. It stores files in one
// directory. Set the fields before the first call. Methods may be called
// concurrently.
type UploadServer struct {
	uploadv1.UnimplementedUploadServiceServer

	// Root is the directory. It must not be nil, and its file system must
	// support hard links. The caller closes it.
	Root *os.Root

	// MaxBytes is the size limit of a file. 0 means [DefaultMaxBytes].
	MaxBytes int64

	// IdleTimeout limits how long the server waits for the next message of
	// an upload, and for the half-close. It does not limit the time of a
	// whole upload. 0 means [DefaultIdleTimeout].
	IdleTimeout time.Duration
}

// Upload stores one file. The first message carries the name of the file,
// and all later messages carry its bytes. After the client's half-close,
// Upload syncs the bytes to the disk, gives the file its name, and sends
// the receipt. An upload that the server refuses, or that ends before the
// half-close, leaves nothing, with two exceptions: a server process that
// ends before Upload returns, or a disk that fails, can leave a file with a
// temporary name, and if
// the disk fails just after the file got its name, the file can stay. If the
// call is canceled or reset, or the connection is lost, after the half-close,
// the file may be stored without a receipt.
//
// Uploads of the same name may run at the same time. Of uploads without
// replace, the first that gets the name is stored. Of uploads with
// replace, the last that gets the name stays.
//
// OK: the file is stored. InvalidArgument: the name is not valid, the
// messages are out of order, a chunk is empty, or the declared size is
// wrong. AlreadyExists: the name is in use, and replace is not set or what
// has the name is not a regular file. ResourceExhausted: the file exceeds
// MaxBytes or a limit of the file system, a message exceeds the limit of
// gRPC, the disk is full (on Windows, a full disk is Internal), or the
// server has too many open files. PermissionDenied: the server is not
// allowed to write to the directory. Internal: the server failed to store
// the file for another reason. DeadlineExceeded: no message or half-close came
// within IdleTimeout, or the deadline of the call passed. Canceled: the client canceled the call,
// perhaps at that deadline, or the connection was lost.
func (s *UploadServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	in, err := s.begin(stream)
	if err != nil {
		return err
	}
	defer in.file.discard()
	for {
		req, err := s.recv(stream, "chunk or half-close")
		if errors.Is(err, io.EOF) { // the half-close: the file is complete
			break
		}
		if err != nil {
			return err // not the half-close: the file may be incomplete
		}
		if err := in.write(req); err != nil {
			return err // at once: the client may still be sending
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

// limits are the errors of a system that has no room for the file.
var limits = []error{
	syscall.ENOSPC, syscall.EDQUOT, // the disk, or a quota, is full
	syscall.EFBIG,                  // the file is too large
	syscall.EMFILE, syscall.ENFILE, // too many files are open
}

// toStatus returns err as a status, with the code that tells the client what
// to do. The message names no path of the server.
func toStatus(err error) error {
	code := codes.Internal
	switch {
	case slices.ContainsFunc(limits, func(limit error) bool { return errors.Is(err, limit) }):
		code = codes.ResourceExhausted
	case errors.Is(err, fs.ErrPermission):
		code = codes.PermissionDenied
	}
	if reason, ok := errors.AsType[syscall.Errno](err); ok {
		return status.Errorf(code, "the server failed to store the file: %v", reason)
	}
	return status.Error(code, "the server failed to store the file")
}
