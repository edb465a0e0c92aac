package protocol

import (
	"context"
	"errors"
	"io"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// ChunkSize is how many bytes of r a message of [Upload] has at most: 32 KiB.
const ChunkSize = 32 << 10

// Upload sends the bytes of r that the server has not committed, and returns
// how many the server has then. After an error, the next call
// continues where the server is.
func Upload(
	ctx context.Context, c jobsv1.JobServiceClient, upload string, r io.ReadSeeker,
) (committed int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := c.GetUpload(ctx, &jobsv1.GetUploadRequest{Upload: upload})
	if err != nil {
		return 0, err
	}
	offset, err := r.Seek(st.GetCommitted(), io.SeekStart)
	if err != nil {
		return 0, err
	}
	stream, err := c.Upload(ctx)
	if err != nil {
		return 0, err
	}
	for last := false; !last; {
		chunk := make([]byte, ChunkSize) // gRPC may keep the last one
		n, err := io.ReadFull(r, chunk)
		last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return 0, err
		}
		err = stream.Send(&jobsv1.UploadRequest{Upload: upload, Offset: offset, Chunk: chunk[:n]})
		if errors.Is(err, io.EOF) {
			break // CloseAndRecv returns the status
		}
		if err != nil {
			return 0, err
		}
		offset += int64(n)
	}
	st, err = stream.CloseAndRecv()
	return st.GetCommitted(), err
}
