// Package unary returns the last lines of a log in one response.
package unary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// A SnapshotServer implements SnapshotService. It returns the last lines of
// a file. Set the fields before the first call. Methods may be called
// concurrently.
type SnapshotServer struct {
	snapshotv1.UnimplementedSnapshotServiceServer

	// FS holds the file. It must not be nil, and must be safe for
	// concurrent use. Its files must implement [io.ReaderAt], as those of
	// os.DirFS and embed.FS do.
	FS fs.FS

	// Name is the name of the file in FS.
	Name string
}

// GetSnapshot returns the last lines of the file, oldest first.
//
// InvalidArgument: req.lines is not between 1 and [MaxLines]. NotFound: the
// file does not exist. PermissionDenied: the server is not allowed to read
// the file. FailedPrecondition: it is not a regular file. ResourceExhausted:
// the lines exceed [MaxSnapshotBytes]. Unavailable: the file was truncated
// twice while the server read it. Internal: the server failed to read the
// file for another reason. Canceled, DeadlineExceeded: the context of the
// call ended.
func (s *SnapshotServer) GetSnapshot(
	ctx context.Context, req *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	n := int(req.GetLines())
	if n < 1 || n > MaxLines { // a field that is not set is 0
		return nil, status.Errorf(codes.InvalidArgument,
			"lines: must be between 1 and %d, got %d", MaxLines, n)
	}
	lines, err := s.read(ctx, n)
	if errors.Is(err, errTruncated) {
		lines, err = s.read(ctx, n) // log rotation may truncate a file
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return &snapshotv1.Snapshot{Lines: lines}, nil
}

// read returns the last n lines of the file as it is now.
func (s *SnapshotServer) read(ctx context.Context, n int) ([][]byte, error) {
	// Stat comes first, because Open may wait if the file is a FIFO.
	info, err := fs.Stat(s.FS, s.Name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := s.FS.Open(s.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%T does not implement io.ReaderAt", f)
	}
	return tail(ctx, r, info.Size(), n)
}

var errNotRegular = errors.New("not a regular file")

// toStatus returns err as a status, with the code that tells the client what
// to do.
func toStatus(err error) error {
	code := codes.Internal
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, errTooLarge): // the lines exceed 1 MiB
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, fs.ErrNotExist):
		code = codes.NotFound
	case errors.Is(err, fs.ErrPermission):
		code = codes.PermissionDenied
	case errors.Is(err, errNotRegular): // such as a directory
		code = codes.FailedPrecondition
	case errors.Is(err, errTruncated): // somebody truncated the file just now
		code = codes.Unavailable
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok { // like errors.As
		err = pathErr.Err // the client need not know the server's paths
	}
	return status.Errorf(code, "log: %v", err)
}
