// Code generated from 03-client-stream/bench_test.go; DO NOT EDIT.

package fastupload

import (
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// maxHeap is the limit for the heap of client and server together, however
// large the file is.
const maxHeap = 48 << 20

func TestUpload_HeapIsSmallerThanTheFile(t *testing.T) {
	const size = 64 << 20
	s := newServer(t)
	peak := uploadGenerated(t, dial(t, s), size)
	require.Less(t, peak, int64(maxHeap), "bytes on the heap")

	stored, err := s.Root.Open("f")
	require.NoError(t, err)
	defer stored.Close()
	require.Equal(t, sum(t, generated(size)), sum(t, stored))
}

// BenchmarkFourGiB fails if the heap grows with the file. Unlike the server
// of the test above, its server stores nothing.
func BenchmarkFourGiB(b *testing.B) {
	const size = 4 << 30
	client := dial(b, stub{OnUpload: hashOnly})
	var peak int64
	for b.Loop() {
		peak = max(peak, uploadGenerated(b, client, size))
	}
	require.Less(b, peak, int64(maxHeap), "bytes on the heap")
	b.ReportMetric(0, "ns/op") // it collects garbage all the time
	b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MiB")
}

// uploadGenerated uploads size bytes as "f". It measures the heap after
// each chunk, garbage included, and returns the largest value. On a busy
// machine the garbage collector may run late, and its garbage would then
// hide what the upload holds. So uploadGenerated collects every 8 MiB.
func uploadGenerated(t testing.TB, c uploadv1.UploadServiceClient, size int64) (peak int64) {
	t.Helper()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	receipt, err := Upload(t.Context(), c, named("f"), generated(size), func(sent int64) {
		if sent%(8<<20) == 0 {
			runtime.GC()
		}
		metrics.Read(heap)
		peak = max(peak, int64(heap[0].Value.Uint64()))
	})
	require.NoError(t, err)
	require.Equal(t, size, receipt.GetSize())
	return peak
}

// hashOnly receives an upload and stores nothing.
func hashOnly(stream serverStream) error {
	size, hash := int64(0), sha256.New()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Size: size, Sha256: hash.Sum(nil)})
		}
		if err != nil {
			return err
		}
		size += int64(len(req.GetChunk()))
		hash.Write(req.GetChunk())
	}
}
