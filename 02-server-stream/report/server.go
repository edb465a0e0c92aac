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

// A ReportServer implements ReportService. It streams files; the id of a
// report is a file name without a path. Set the fields before the first
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
// OK: the whole report was sent. InvalidArgument: req.report_id is empty,
// contains a path, or names a directory. NotFound: the file does not exist.
// PermissionDenied: the server is not allowed to read the file. Internal:
// the server failed to read the file for another reason. Canceled,
// DeadlineExceeded: the context of the call ended. An error of the source
// that is a status is returned as it is.
func (s *ReportServer) GenerateReport(
	req *reportv1.ReportRequest, stream grpc.ServerStreamingServer[reportv1.ReportChunk],
) error {
	source, err := s.open(req.GetReportId())
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
			size += int64(n)
			if err := stream.Send(&reportv1.ReportChunk{Data: data[:n], ChunkNumber: number}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			stream.SetTrailer(trailer(size, sum))
			return nil
		}
		if err != nil {
			return toStatus(err)
		}
	}
}

// open opens the file that id names. The caller closes it.
func (s *ReportServer) open(id string) (fs.File, error) {
	if id == "" || id == "." || !fs.ValidPath(id) || strings.ContainsAny(id, "/\\\x00") {
		return nil, status.Errorf(codes.InvalidArgument, "report_id: must be a plain file name, got %q", id)
	}
	f, err := s.FS.Open(id)
	if err != nil {
		return nil, toStatus(err)
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		f.Close()
		return nil, status.Errorf(codes.InvalidArgument, "report_id: must name a file, got %q", id)
	}
	return f, nil
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
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, fs.ErrNotExist):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, fs.ErrPermission):
		return status.Error(codes.PermissionDenied, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
