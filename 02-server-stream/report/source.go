package report

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A source reads a file in chunks, and sums up what it has read for the
// trailer. It belongs to one call.
type source struct {
	file fs.File
	want int64 // the size that the file had when the call began
	size int64 // bytes that next has returned
	sum  hash.Hash
	err  error // of the last Read
}

// errChanged ends a report whose file does not have the size that it had when
// the call began. Otherwise the trailer could describe a part of a report, and the client would take
// that part for the whole.
var errChanged = status.Error(codes.Aborted, "report: the file changed while it was sent")

// open opens the file that id names. The caller closes the source.
//
// An id comes from a stranger, so open refuses all except plain file names.
// It opens regular files only: opening a FIFO would block the handler, and
// the end of the call would not end that wait.
func (s *ReportServer) open(id string) (*source, error) {
	if len(id) > MaxID {
		return nil, status.Errorf(codes.InvalidArgument, "report_id: must be at most %d bytes, got %d", MaxID, len(id))
	}
	if id == "" || id[0] == '.' || strings.ContainsAny(id, "/\\\x00") {
		return nil, status.Errorf(codes.InvalidArgument, "report_id: must be a plain file name, got %q", id)
	}
	// Stat comes first, because Open may wait if the file is a FIFO.
	info, err := fs.Stat(s.FS, id)
	if err != nil {
		return nil, toStatus(err)
	}
	if !info.Mode().IsRegular() {
		return nil, status.Errorf(codes.InvalidArgument, "report_id: must name a regular file, got %q", id)
	}
	f, err := s.FS.Open(id)
	if err != nil {
		return nil, toStatus(err)
	}
	if info, err = f.Stat(); err != nil { // now of the file that is open
		f.Close()
		return nil, toStatus(err)
	}
	return &source{file: f, want: info.Size(), sum: sha256.New()}, nil
}

// next returns the next chunk, which is not empty and belongs to the caller,
// or [io.EOF] after the last chunk. Every other error is a status.
//
// Aborted: the file does not end with the size that it had when the call
// began. A pause of the program that writes the file looks like its end.
func (s *source) next() ([]byte, error) {
	data := make([]byte, ChunkSize) // not reused: a message must not be changed after Send
	n := 0
	for n == 0 && s.err == nil {
		n, s.err = s.file.Read(data)
	}
	s.sum.Write(data[:n])
	switch s.size += int64(n); {
	case s.size > s.want:
		return nil, errChanged
	case n > 0:
		return data[:n], nil
	case !errors.Is(s.err, io.EOF):
		return nil, toStatus(s.err)
	case s.size < s.want:
		return nil, errChanged
	}
	return nil, io.EOF
}

func (s *source) close() { s.file.Close() } // a file that was only read

// toStatus returns err as a status, with the code that tells the client what
// to do. A status inside err keeps its code.
func toStatus(err error) error {
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	code := codes.Internal
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, fs.ErrNotExist):
		code = codes.NotFound
	case errors.Is(err, fs.ErrPermission):
		code = codes.PermissionDenied
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err // the client need not know the server's paths
	}
	return status.Errorf(code, "report: %v", err)
}
