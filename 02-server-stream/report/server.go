// Package report downloads a report: the client sends one request, and the
// server sends a response for each chunk.
package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	reportv1 "example.com/streams/02-server-stream/report/v1"
)

// Keys of the trailer that describes the whole report.
const (
	SizeKey   = "report-size"   // bytes, in decimal
	SHA256Key = "report-sha256" // in hexadecimal
)

// ChunkSize is the largest number of bytes of data in one chunk. A message
// with that much data, the chunk's number and gRPC's prefix fits into one
// DATA frame, which holds 16 KiB.
const ChunkSize = 16<<10 - 32

// MaxID is the limit of a report's id, in bytes.
const MaxID = 255

// A ReportServer implements ReportService. It streams regular files that
// are not hidden; the id of a report is a file name without a path. A file
// must be whole when it gets its name: write it under a hidden name, and
// rename it. Set the fields before the first
// call. Methods may be called concurrently.
type ReportServer struct { //nolint:revive // every chapter names its server after the service
	reportv1.UnimplementedReportServiceServer

	// FS holds the files. It must not be nil, and must be safe for
	// concurrent use.
	FS fs.FS
}

// GenerateReport streams a report as its source produces it. The trailer
// holds the report's size and SHA-256. If the source fails after some chunks
// were sent, the status follows those chunks.
//
// OK: the whole report was sent. InvalidArgument: req.report_id is empty, is
// longer than [MaxID], contains a path, begins with a dot, or names what is
// not a regular file. NotFound: the file does not exist. PermissionDenied:
// the server is not allowed to read the file. Aborted: the file has grown or
// shrunk since the call began; another call may succeed. Internal: the
// server failed to read the file for another reason. Canceled,
// DeadlineExceeded: the context of the call ended. An error of the source
// that is a status is returned as it is.
func (s *ReportServer) GenerateReport(
	req *reportv1.ReportRequest, stream grpc.ServerStreamingServer[reportv1.ReportChunk],
) error {
	source, want, err := s.open(req.GetReportId())
	if err != nil {
		return err
	}
	defer source.Close()

	sum := sha256.New()
	size := int64(0)
	for number := int32(0); ; number++ {
		data := make([]byte, ChunkSize) // a message must not be changed after Send
		n, err := source.Read(data)
		if n > 0 {
			sum.Write(data[:n])
			if size += int64(n); size > want {
				return errChanged
			}
			if err := stream.Send(&reportv1.ReportChunk{Data: data[:n], ChunkNumber: number}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			if size < want {
				return errChanged
			}
			stream.SetTrailer(trailer(size, sum))
			return nil
		}
		if err != nil {
			return toStatus(err)
		}
	}
}

// errChanged ends a report that was not whole when the call began.
var errChanged = status.Error(codes.Aborted, "report: the file changed while it was sent")

// open opens the file that id names, and returns its size. The caller closes
// the file.
func (s *ReportServer) open(id string) (fs.File, int64, error) {
	if len(id) > MaxID {
		return nil, 0, status.Errorf(codes.InvalidArgument, "report_id: must be at most %d bytes, got %d", MaxID, len(id))
	}
	if id == "" || id[0] == '.' || strings.ContainsAny(id, "/\\\x00") {
		return nil, 0, status.Errorf(codes.InvalidArgument, "report_id: must be a plain file name, got %q", id)
	}
	// Stat comes first, because Open waits if the file is a FIFO.
	info, err := fs.Stat(s.FS, id)
	if err != nil {
		return nil, 0, toStatus(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, status.Errorf(codes.InvalidArgument, "report_id: must name a regular file, got %q", id)
	}
	f, err := s.FS.Open(id)
	if err != nil {
		return nil, 0, toStatus(err)
	}
	if info, err = f.Stat(); err != nil { // now of the file that is open
		f.Close()
		return nil, 0, toStatus(err)
	}
	return f, info.Size(), nil
}

func trailer(size int64, sum hash.Hash) metadata.MD {
	return metadata.Pairs(
		SizeKey, strconv.FormatInt(size, 10),
		SHA256Key, hex.EncodeToString(sum.Sum(nil)),
	)
}

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
