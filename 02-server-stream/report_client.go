package serverstream

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

// Download writes a report to w, chunk by chunk as they arrive, and returns
// how many bytes it wrote. After an error they are not the whole report.
//
// DataLoss: chunks are missing or out of order, or what arrived is not what
// the trailer says. Else the error is that of w or of the server.
func Download(ctx context.Context, c reportv1.ReportServiceClient, id string, w io.Writer) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // without it, a return from the loop leaks the stream
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
			return size, status.Errorf(codes.DataLoss, "chunk_number: got %d, want %d", got, want)
		}
		n, err := w.Write(chunk.GetData())
		size += int64(n)
		sum.Write(chunk.GetData()[:n])
		if err != nil {
			return size, err
		}
	}
}

// verify compares what arrived with what the trailer says was sent.
func verify(trailer metadata.MD, size int64, sum []byte) error {
	if err := match(trailer, SizeKey, strconv.FormatInt(size, 10)); err != nil {
		return err
	}
	return match(trailer, SHA256Key, hex.EncodeToString(sum))
}

func match(trailer metadata.MD, key, got string) error {
	want := trailer.Get(key)
	if len(want) != 1 {
		return status.Errorf(codes.DataLoss, "%s: missing in the trailer", key)
	}
	if got != want[0] {
		return status.Errorf(codes.DataLoss, "%s: got %s, want %s", key, got, want[0])
	}
	return nil
}
