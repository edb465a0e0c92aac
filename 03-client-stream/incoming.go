package clientstream

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// An incoming is a file that a client is sending.
type incoming struct {
	info  *uploadv1.FileInfo
	limit int64 // in bytes
	size  int64 // bytes received so far
	hash  hash.Hash
	file  *partial
}

// begin receives the info. It refuses what can be refused before the first
// chunk.
func (s *UploadServer) begin(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) (*incoming, error) {
	req, err := s.recv(stream, "info")
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	info := req.GetInfo() // also nil after io.EOF
	if info == nil {
		return nil, invalid("info: must be the first message")
	}
	limit := cmp.Or(s.MaxBytes, DefaultMaxBytes)
	if err := checkName(info.GetName()); err != nil {
		return nil, err
	}
	if err := checkSize(info.GetSize(), limit); err != nil {
		return nil, err
	}
	if err := checkFree(s.Root, info); err != nil {
		return nil, err
	}
	file, err := newPartial(s.Root)
	if err != nil {
		return nil, toStatus(err)
	}
	return &incoming{info: info, limit: limit, hash: sha256.New(), file: file}, nil
}

func checkSize(size, limit int64) error {
	if size < 0 {
		return invalid("size: must be at least 0, got %d", size)
	}
	if size > limit {
		return status.Errorf(codes.ResourceExhausted, "size: must not exceed %d bytes, got %d", limit, size)
	}
	return nil
}

// recv is Recv with a time limit for a message or the half-close. After an
// error the handler must return, which ends a Recv that still waits.
func (s *UploadServer) recv(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt], what string,
) (*uploadv1.UploadRequest, error) {
	var req *uploadv1.UploadRequest
	received := make(chan error, 1)
	go func() {
		var err error
		req, err = stream.Recv()
		received <- err
	}()
	limit := cmp.Or(s.IdleTimeout, DefaultIdleTimeout)
	select {
	case err := <-received:
		return req, err
	case <-time.After(limit):
		return nil, status.Errorf(codes.DeadlineExceeded, "%s: must arrive within %v", what, limit)
	}
}

// write stores the next chunk.
func (in *incoming) write(req *uploadv1.UploadRequest) error {
	chunk := req.GetChunk()
	in.size += int64(len(chunk))
	switch {
	case req.GetInfo() != nil:
		return invalid("info: must be sent only once")
	case len(chunk) == 0: // empty chunks never reach a limit
		return invalid("chunk: must not be empty")
	case in.info.Size != nil && in.size > in.info.GetSize():
		return invalid("size: must equal the bytes sent (at least %d), got %d", in.size, in.info.GetSize())
	case in.size > in.limit:
		return status.Errorf(codes.ResourceExhausted,
			"chunk: must not exceed %d bytes in total, got %d", in.limit, in.size)
	}
	in.hash.Write(chunk) // never fails
	if _, err := in.file.Write(chunk); err != nil {
		return toStatus(err)
	}
	return nil
}

// finish gives the file its name, after the half-close.
func (in *incoming) finish() (*uploadv1.UploadReceipt, error) {
	if in.info.Size != nil && in.size < in.info.GetSize() {
		return nil, invalid("size: must equal the bytes sent (%d), got %d", in.size, in.info.GetSize())
	}
	err := in.file.publish(in.info.GetName(), in.info.GetReplace())
	if errors.Is(err, fs.ErrExist) {
		return nil, errNameInUse(in.info.GetName())
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return &uploadv1.UploadReceipt{Size: in.size, Sha256: in.hash.Sum(nil)}, nil
}
