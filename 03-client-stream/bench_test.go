package clientstream

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

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
	b.ReportAllocs()
	b.SetBytes(size)
	var peak int64
	for b.Loop() {
		peak = max(peak, uploadGenerated(b, client, size))
	}
	require.Less(b, peak, int64(maxHeap), "bytes on the heap")
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

// BenchmarkChunkSize uploads 32 MiB over loopback TCP in chunks of each
// size, and prints the speed of each relative to the first. Each iteration
// uploads once in each size, and only the fastest upload of a size counts,
// because other work on the machine can only make an upload slower. Use
// -benchtime 50x or more.
func BenchmarkChunkSize(b *testing.B) {
	const size = 32 << 20
	client := dialTCP(b, stub{OnUpload: hashOnly})
	rows := []struct {
		name     string
		chunk    int
		requests func(*uploadv1.FileInfo, io.Reader, int) iter.Seq2[*uploadv1.UploadRequest, error]
	}{
		{"4 KiB", 4 << 10, requests},
		{"16 KiB", 16 << 10, requests},
		{"32 KiB − 16 B", 32<<10 - 16, requests},
		{"32 KiB", 32 << 10, requests},
		{"64 KiB", 64 << 10, requests},
		{"128 KiB", 128 << 10, requests},
		{"256 KiB", 256 << 10, requests},
		{"512 KiB", 512 << 10, requests},
		{"1 MiB − 16 B", 1<<20 - 16, requests},
		{"1 MiB", 1 << 20, requests},
		{"256 KiB, one buffer", 256 << 10, oneBuffer},
	}
	fastest := make([]time.Duration, len(rows))
	b.ReportAllocs()
	for b.Loop() {
		for i, row := range rows {
			start := time.Now()
			stream := open(b, b.Context(), client)
			messages := row.requests(named("f"), io.LimitReader(endless{}, size), row.chunk)
			receipt, err := send(stream, messages, func(int64) {})
			require.NoError(b, err)
			require.Equal(b, int64(size), receipt.GetSize())
			if took := time.Since(start); fastest[i] == 0 || took < fastest[i] {
				fastest[i] = took
			}
		}
	}
	fmt.Print("\n| chunk | speed |\n|---|---:|\n") // b.Log prints at most 10 lines
	for i, row := range rows {
		fmt.Printf("| %s | %.1f |\n", row.name, float64(fastest[0])/float64(fastest[i]))
	}
}

// oneBuffer is [requests] with one buffer for all chunks. It breaks the
// rule that a message must not change after Send.
func oneBuffer(info *uploadv1.FileInfo, r io.Reader, size int) iter.Seq2[*uploadv1.UploadRequest, error] {
	return func(yield func(*uploadv1.UploadRequest, error) bool) {
		chunk := make([]byte, size)
		req := infoRequest(info)
		for yield(req, nil) {
			n, err := fill(chunk, r)
			if err != nil || n == 0 {
				return
			}
			req = chunkRequest(chunk[:n])
		}
	}
}

// dialTCP serves srv over loopback TCP and returns a client.
func dialTCP(b *testing.B, srv uploadv1.UploadServiceServer) uploadv1.UploadServiceClient {
	b.Helper()
	conn, err := grpc.NewClient(listenTCP(b, srv), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	return uploadv1.NewUploadServiceClient(conn)
}
