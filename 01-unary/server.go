// Package unary returns the last lines of a log: the client sends one
// request, and the server sends one response.
package unary

import (
	"context"
	"errors"
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
	// concurrent use.
	FS fs.FS

	// Name is the name of the file in FS.
	Name string
}

// GetSnapshot returns the last lines of the file, oldest first.
//
// InvalidArgument: req.lines is less than 1. NotFound: the file does not
// exist. PermissionDenied: the server is not allowed to read the file.
// ResourceExhausted: the lines exceed [MaxSnapshotBytes]. Internal: the
// server failed to read the file for another reason. Canceled,
// DeadlineExceeded: the context of the call ended.
func (s *SnapshotServer) GetSnapshot(
	ctx context.Context, req *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	if n := req.GetLines(); n < 1 {
		return nil, status.Errorf(codes.InvalidArgument, "lines: must be at least 1, got %d", n)
	}
	f, err := s.FS.Open(s.Name)
	if err != nil {
		return nil, toStatus(err)
	}
	defer f.Close()
	lines, err := tail(ctx, f, int(req.GetLines()))
	if err != nil {
		return nil, toStatus(err)
	}
	return &snapshotv1.Snapshot{Lines: lines}, nil
}

// toStatus returns err as a status, with the code that tells the client what
// to do.
func toStatus(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, errTooLarge):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, fs.ErrNotExist):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, fs.ErrPermission):
		return status.Error(codes.PermissionDenied, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
