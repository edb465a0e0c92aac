package clientstream

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"math"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// An incoming file is one that a client is sending.
type incoming struct {
	info *uploadv1.FileInfo
	max  int64 // bytes that it may have
	size int64 // bytes so far
	hash hash.Hash
	out  io.Writer
	file *partial
}

// begin receives the info, and refuses at once what could not be stored.
func (s *UploadServer) begin(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) (*incoming, error) {
	req, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	info := req.GetInfo()
	if info == nil {
		return nil, invalid("info: must be the first message")
	}
	in := &incoming{info: info, max: cmp.Or(s.MaxBytes, DefaultMaxBytes), hash: sha256.New()}
	if err := in.check(s.Root); err != nil {
		return nil, err
	}
	if in.file, err = newPartial(s.Root); err != nil {
		return nil, toStatus(err)
	}
	in.out = in.file
	return in, nil
}

func (in *incoming) check(root *os.Root) error {
	if err := checkName(in.info.GetName()); err != nil {
		return err
	}
	switch size := in.info.GetSize(); {
	case size < 0:
		return invalid("size: must not be negative, got %d", size)
	case size > in.max:
		return status.Errorf(codes.ResourceExhausted,
			"size: at most %d bytes are taken, got %d", in.max, size)
	}
	return checkFree(root, in.info)
}

// write takes the next message.
func (in *incoming) write(req *uploadv1.UploadRequest) error {
	chunk := req.GetChunk()
	size := in.size + int64(len(chunk))
	switch {
	case req.GetInfo() != nil:
		return invalid("info: must be the first message only")
	case len(chunk) == 0: // no byte of the limit, so it could go on for ever
		return invalid("chunk: must not be empty")
	case size > in.declared():
		return invalid("size: %d bytes declared, more arrived", in.declared())
	case size > in.max:
		return status.Errorf(codes.ResourceExhausted, "chunk: at most %d bytes are taken", in.max)
	}
	in.size = size
	in.hash.Write(chunk) // never fails
	if _, err := in.out.Write(chunk); err != nil {
		return toStatus(err)
	}
	return nil
}

// declared returns the size that the info says, if it says one.
func (in *incoming) declared() int64 {
	if in.info.Size == nil {
		return math.MaxInt64
	}
	return in.info.GetSize()
}

// finish is called at the half-close. It gives the file its name.
func (in *incoming) finish() (*uploadv1.UploadReceipt, error) {
	if in.info.Size != nil && in.size < in.declared() {
		return nil, invalid("size: %d bytes declared, %d arrived", in.declared(), in.size)
	}
	err := in.file.publish(in.info.GetName(), in.info.GetReplace())
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, taken(in.info.GetName())
	case err != nil:
		return nil, toStatus(err)
	}
	return in.receipt(), nil
}

func (in *incoming) receipt() *uploadv1.UploadReceipt {
	return &uploadv1.UploadReceipt{Size: in.size, Sha256: in.hash.Sum(nil)}
}

func (in *incoming) discard() { in.file.discard() }
