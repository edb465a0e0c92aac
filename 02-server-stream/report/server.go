// Package report downloads a report: the client sends one request, and the
// server sends a response for each chunk.
package report

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

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
// rename it. Set the fields before the first call. Methods may be called
// concurrently.
type ReportServer struct { //nolint:revive // every chapter names its server after the service
	reportv1.UnimplementedReportServiceServer

	// FS holds the files. It must not be nil, and must be safe for
	// concurrent use. With [os.Root.FS], no id and no symbolic link leads
	// out of the directory.
	FS fs.FS
}

// GenerateReport streams a report as its source produces it. With OK, the
// trailer holds the report's size and SHA-256. If the source fails after some chunks
// were sent, the status follows those chunks.
//
// OK: the whole report was sent. InvalidArgument: req.report_id is empty, is
// longer than [MaxID], contains a path or NUL, begins with a dot, or names
// what is not a regular file. NotFound: the file does not exist. PermissionDenied:
// the server is not allowed to read the file. Aborted: the file has grown or
// shrunk since the call began; another call may succeed. Internal: the
// server failed to read the file for another reason. Canceled,
// DeadlineExceeded: the context of the call ended. Unavailable: the connection
// closed while Send waited. An error of the source that is a status is returned
// as it is.
func (s *ReportServer) GenerateReport(
	req *reportv1.ReportRequest, stream grpc.ServerStreamingServer[reportv1.ReportChunk],
) error {
	source, err := s.open(req.GetReportId())
	if err != nil {
		return err
	}
	defer source.close()
	for number := int32(0); ; number++ {
		data, err := source.next()
		if errors.Is(err, io.EOF) {
			stream.SetTrailer(metadata.Pairs(
				SizeKey, strconv.FormatInt(source.size, 10),
				SHA256Key, hex.EncodeToString(source.sum.Sum(nil))))
			return nil
		}
		if err != nil {
			return err // the client gets the chunks before the error
		}
		if err := stream.Send(&reportv1.ReportChunk{Data: data, ChunkNumber: number}); err != nil {
			return err
		}
	}
}
