package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"sync"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
)

// work is what all contenders of one comparison do.
type work struct {
	hash bool // with SHA-256, in the server
}

// An upload sends size bytes of the source, and returns what the server has
// received.
type upload func(ctx context.Context, source io.Reader, size int64) (*uploadv1.UploadReceipt, error)

// do uploads n MiB, and checks the receipt.
func (w work) do(r *harness.Run, u upload) harness.Do {
	return func(n int) ([]harness.Metric, error) {
		size := int64(n) << 20
		receipt, err := u(r.Context, newSource(size), size)
		if err != nil {
			return nil, err
		}
		return nil, w.check(receipt, size)
	}
}

func (w work) check(receipt *uploadv1.UploadReceipt, size int64) error {
	if receipt.GetSize() != size {
		return fmt.Errorf("size: must be %d, got %d", size, receipt.GetSize())
	}
	if w.hash && !bytes.Equal(receipt.GetSha256(), sum(size)) {
		return errors.New("sha256: must be that of what was sent")
	}
	return nil
}

// content is what sources repeat. Its length is odd, so that a chunk that is
// lost or in the wrong place changes the hash.
var content = func() []byte {
	content := make([]byte, 1<<20+13)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // never fails
	return content
}()

// A source is a file in memory, which repeats the content.
type source struct {
	left int64
	next int // in the content
}

func newSource(size int64) *source { return &source{left: size} }

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), s.left)], content[s.next:])
	s.next = (s.next + n) % len(content)
	s.left -= int64(n)
	return n, nil
}

// sums are the hashes of the sources, by size.
var sums sync.Map

func sum(size int64) []byte {
	if known, ok := sums.Load(size); ok {
		return known.([]byte)
	}
	h := sha256.New()
	_, _ = io.Copy(h, newSource(size)) // neither of the two fails
	sums.Store(size, h.Sum(nil))
	return h.Sum(nil)
}

// A sink counts the bytes that a server receives, and hashes them if the
// work says so. Its methods must not be called concurrently.
type sink struct {
	size int64
	hash hash.Hash // nil: discard
}

func (w work) sink() *sink {
	s := new(sink)
	if w.hash {
		s.hash = sha256.New()
	}
	return s
}

func (s *sink) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if s.hash != nil {
		s.hash.Write(p)
	}
	return len(p), nil
}

func (s *sink) receipt() *uploadv1.UploadReceipt {
	receipt := &uploadv1.UploadReceipt{Size: s.size}
	if s.hash != nil {
		receipt.Sha256 = s.hash.Sum(nil)
	}
	return receipt
}
