// Package unary asks a server for the last lines of its log: one request,
// one response.
package unary

import (
	"context"
	"errors"
	"io/fs"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// SnapshotServer returns the last lines of a file. Set its fields before
// the server starts. Its methods may be called concurrently if the methods
// of FS may be.
type SnapshotServer struct {
	snapshotv1.UnimplementedSnapshotServiceServer

	FS   fs.FS  // where the file is
	Name string // the name of the file in FS
}

// GetSnapshot returns the last lines of the file, oldest first.
//
// InvalidArgument: lines is less than 1. NotFound: the file does not exist.
// PermissionDenied: the server is not allowed to read the file.
// ResourceExhausted: the lines exceed [MaxSnapshotBytes]. Canceled,
// DeadlineExceeded: ctx ended while the server was reading. Internal: the
// server failed to read the file for another reason.
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

// toStatus chooses the code that tells the caller what to do about err.
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
