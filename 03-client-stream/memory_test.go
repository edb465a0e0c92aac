package clientstream

import (
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// maxHeap is what client and server together may hold, for any file.
const maxHeap = 48 << 20

func TestAFileLargerThanTheHeapArrivesByteForByte(t *testing.T) {
	const size = 64 << 20
	s := newServer(t)
	peak := uploadGenerated(t, dial(t, s), size)
	require.Less(t, peak, int64(maxHeap), "bytes of heap")

	stored, err := s.Root.Open("f")
	require.NoError(t, err)
	defer stored.Close()
	require.Equal(t, sum(t, generated(size)), sum(t, stored))
}

// BenchmarkFourGiB fails if the heap grows with the file. The test above
// shows the same for 64 MiB, on a disk.
func BenchmarkFourGiB(b *testing.B) {
	const size = 4 << 30
	client := dial(b, sink{})
	b.ReportAllocs()
	b.SetBytes(size)
	var peak int64
	for b.Loop() {
		peak = max(peak, uploadGenerated(b, client, size))
	}
	require.Less(b, peak, int64(maxHeap), "bytes of heap")
	b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MiB")
}

// uploadGenerated uploads size bytes as "f" and returns the largest heap
// that it saw. It looks at each chunk, and counts garbage too. On a busy
// machine the collector may come late, and garbage would hide what the
// upload holds. So the collector comes every 8 MiB here.
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

func sum(t testing.TB, r io.Reader) []byte {
	t.Helper()
	hash := sha256.New()
	_, err := io.Copy(hash, r)
	require.NoError(t, err)
	return hash.Sum(nil)
}

// A sink is an [UploadServer] without a disk.
type sink struct {
	uploadv1.UnimplementedUploadServiceServer
}

func (sink) Upload(stream serverStream) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	in := &incoming{info: named("f"), max: math.MaxInt64, hash: sha256.New(), out: io.Discard}
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(in.receipt())
		}
		if err != nil {
			return err
		}
		if err := in.write(req); err != nil {
			return err
		}
	}
}
