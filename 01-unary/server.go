// Package unary asks a server for the last lines of its log: one request,
// one response.
package unary

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// SnapshotServer answers with the last lines of the file Name in FS.
type SnapshotServer struct {
	snapshotv1.UnimplementedSnapshotServiceServer

	FS   fs.FS
	Name string
}

// GetSnapshot returns the last lines of the file, oldest first.
//
// InvalidArgument: lines is less than 1. NotFound, PermissionDenied: the
// file is. ResourceExhausted: the lines exceed [MaxSnapshotBytes]. Canceled,
// DeadlineExceeded: the call ended while the file was read.
func (s *SnapshotServer) GetSnapshot(
	ctx context.Context, req *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	if n := req.GetLines(); n < 1 {
		return nil, status.Errorf(codes.InvalidArgument, "lines: must be at least 1, got %d", n)
	}
	text, err := tail(ctx, s.FS, s.Name, int(req.GetLines()))
	if err != nil {
		return nil, toStatus(err)
	}
	return &snapshotv1.Snapshot{Lines: split(text)}, nil
}

// split cuts text into lines without their newlines.
func split(text []byte) [][]byte {
	if len(text) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
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
