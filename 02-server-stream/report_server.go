package serverstream

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

// Keys of the trailer that tells the client what a whole report is.
const (
	SizeKey   = "report-size"   // bytes, in decimal
	SHA256Key = "report-sha256" // in hex
)

// ChunkSize is the most data in one chunk, in bytes. With gRPC's prefix and
// the chunk's number it fits into one DATA frame, which holds 16 KiB.
const ChunkSize = 16<<10 - 32

// ReportServer streams the files of FS. A report's id is a file name
// without a path.
type ReportServer struct {
	reportv1.UnimplementedReportServiceServer

	FS fs.FS
}

// GenerateReport streams a report as its source produces it. The trailer
// has its size and SHA-256.
//
// InvalidArgument: report_id is empty, has a path, or is a folder.
// NotFound, PermissionDenied: the file is. A source that fails in the
// middle ends the stream with its own status, or Internal.
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
		data := make([]byte, ChunkSize) // a message is not changed after Send
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

// open returns the report, if id names one.
func (s *ReportServer) open(id string) (fs.File, error) {
	if id == "" || id == "." || !fs.ValidPath(id) || strings.ContainsAny(id, "/\\\x00") {
		return nil, status.Errorf(codes.InvalidArgument, "report_id: %q is not a plain file name", id)
	}
	f, err := s.FS.Open(id)
	if err != nil {
		return nil, toStatus(err)
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		f.Close()
		return nil, status.Errorf(codes.InvalidArgument, "report_id: %q is not a file", id)
	}
	return f, nil
}

func trailer(size int64, sum hash.Hash) metadata.MD {
	return metadata.Pairs(
		SizeKey, strconv.FormatInt(size, 10),
		SHA256Key, hex.EncodeToString(sum.Sum(nil)),
	)
}

// toStatus gives err a code. A status keeps its own, also when wrapped.
func toStatus(err error) error {
	code := codes.Internal
	if st, ok := status.FromError(err); ok {
		return st.Err()
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, fs.ErrNotExist):
		code = codes.NotFound
	case errors.Is(err, fs.ErrPermission):
		code = codes.PermissionDenied
	}
	return status.Error(code, err.Error())
}
