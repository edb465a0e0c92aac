package protocol

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// MaxUpload is how many bytes an upload may have: 1 GiB.
const MaxUpload = 1 << 30

var uploadName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// GetUpload returns how much of an upload is stored.
//
// OK: also if no such upload exists. InvalidArgument: the name is not valid.
// Internal: the file could not be opened or stored.
func (s *Server) GetUpload(_ context.Context, req *jobsv1.GetUploadRequest) (*jobsv1.UploadStatus, error) {
	file, err := s.open(req.GetUpload(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return new(jobsv1.UploadStatus), nil
	}
	if err != nil {
		return nil, toStatus(err)
	}
	defer file.Close()
	return commit(file)
}

// Upload appends to an upload. The chunks before an error stay.
//
// OK: all bytes are stored. InvalidArgument: the name is not valid.
// Aborted: a chunk does not begin at the end of the upload.
// ResourceExhausted: the upload would exceed [MaxUpload], or a message the
// limit of gRPC. Internal: the file could not be opened or stored. Canceled,
// DeadlineExceeded: the context of the call ended before the half-close.
func (s *Server) Upload(stream grpc.ClientStreamingServer[jobsv1.UploadRequest, jobsv1.UploadStatus]) error {
	req, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	file, err := s.open(req.GetUpload(), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return toStatus(err)
	}
	defer file.Close()
	for err == nil {
		if err := s.write(file, req); err != nil {
			return toStatus(err)
		}
		req, err = stream.Recv()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	committed, err := commit(file)
	if err != nil {
		return err
	}
	return stream.SendAndClose(committed)
}

func (s *Server) open(name string, flag int) (*os.File, error) {
	if !uploadName.MatchString(name) {
		return nil, status.Errorf(codes.InvalidArgument, "upload: must match %v, got %q", uploadName, name)
	}
	return s.Root.OpenFile(name, flag, 0o600)
}

// write appends a chunk. It compares the offset with the end in each
// message, because another stream may write to the same upload.
func (s *Server) write(file *os.File, req *jobsv1.UploadRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if req.GetOffset() != info.Size() {
		return status.Errorf(codes.Aborted, "offset: must be %d, got %d", info.Size(), req.GetOffset())
	}
	if size := info.Size() + int64(len(req.GetChunk())); size > MaxUpload {
		return status.Errorf(codes.ResourceExhausted, "upload: must have at most %d bytes, got %d", MaxUpload, size)
	}
	_, err = file.WriteAt(req.GetChunk(), info.Size())
	return err
}

// commit syncs a file and returns its size.
func commit(file *os.File) (*jobsv1.UploadStatus, error) {
	info, err := file.Stat() // before Sync: what comes later is not committed
	if err != nil {
		return nil, toStatus(err)
	}
	if err := file.Sync(); err != nil {
		return nil, toStatus(err)
	}
	return &jobsv1.UploadStatus{Committed: info.Size()}, nil
}

// toStatus hides the paths of the server.
func toStatus(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, "upload: the server failed to store it")
}
