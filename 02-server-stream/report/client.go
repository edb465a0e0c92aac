package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	reportv1 "example.com/streams/02-server-stream/report/v1"
)

// Download writes the chunks of a report to w as they arrive, and returns
// the number of bytes that it has written. If the error is not nil, they
// may not be the whole report.
//
// DataLoss: chunks are missing or out of order, or the trailer does not have
// their size and SHA-256. Any other error comes from w, or is the status
// that ended the call. If Download returns before the server has ended the
// call, it cancels the call.
func Download(ctx context.Context, c reportv1.ReportServiceClient, id string, w io.Writer) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // otherwise a return from the loop leaks the stream
	stream, err := c.GenerateReport(ctx, &reportv1.ReportRequest{ReportId: id})
	if err != nil {
		return 0, err
	}
	sum := sha256.New()
	size := int64(0)
	for want := int32(0); ; want++ {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return size, verify(stream.Trailer(), size, sum.Sum(nil))
		}
		if err != nil {
			return size, err
		}
		if got := chunk.GetChunkNumber(); got != want {
			return size, status.Errorf(codes.DataLoss,
				"chunk_number: must be %d, got %d", want, got)
		}
		n, err := w.Write(chunk.GetData())
		size += int64(n)
		sum.Write(chunk.GetData()[:n])
		if err != nil {
			return size, err
		}
	}
}

// verify compares what has arrived with the trailer.
func verify(trailer metadata.MD, size int64, sum []byte) error {
	if err := match(trailer, SizeKey, strconv.FormatInt(size, 10)); err != nil {
		return err
	}
	return match(trailer, SHA256Key, hex.EncodeToString(sum))
}

func match(trailer metadata.MD, key, got string) error {
	want := trailer.Get(key)
	if len(want) != 1 {
		return status.Errorf(codes.DataLoss, "%s: must have one value in the trailer, got %d", key, len(want))
	}
	if got != want[0] {
		return status.Errorf(codes.DataLoss, "%s: must be %s, got %s", key, want[0], got)
	}
	return nil
}
