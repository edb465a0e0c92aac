//go:build unix

package clientstream

import (
	"io"
	"iter"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// BenchmarkChunkSize uploads 32 MiB over loopback TCP in chunks of each
// size, and reports the CPU time relative to chunks of 4 KiB.
func BenchmarkChunkSize(b *testing.B) {
	for _, row := range []struct {
		name  string
		chunk int
	}{
		{"16KiB", 16 << 10},
		{"32KiB_minus_16B", 32<<10 - 16},
		{"32KiB", 32 << 10},
		{"64KiB", 64 << 10},
		{"128KiB", 128 << 10},
		{"256KiB", 256 << 10},
		{"512KiB", 512 << 10},
		{"1MiB_minus_16B", 1<<20 - 16},
		{"1MiB", 1 << 20},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportMetric(relativeCPU(b, upload{4 << 10, requests}, upload{row.chunk, requests}), "cpu/4KiB")
		})
	}
}

// BenchmarkOneBuffer reports the CPU time of uploads that break the rule that
// a message must not change after Send, relative to those that do not.
func BenchmarkOneBuffer(b *testing.B) {
	b.ReportMetric(relativeCPU(b, upload{ChunkSize, requests}, upload{ChunkSize, oneBuffer}), "cpu/new-buffers")
}

type upload struct {
	chunk    int
	requests func(*uploadv1.FileInfo, io.Reader, int) iter.Seq2[*uploadv1.UploadRequest, error]
}

// relativeCPU returns the CPU time of two relative to that of one, client and
// server together. The two take turns. Other work on the machine
// changes the CPU time less than the elapsed time.
func relativeCPU(b *testing.B, one, two upload) float64 {
	const size = 32 << 20
	client := dialTCP(b, stub{OnUpload: hashOnly})
	want := sum(b, io.LimitReader(endless{}, size))
	var took [2]time.Duration
	for b.Loop() {
		for i, u := range []upload{one, two} {
			start := cpuTime(b)
			stream := open(b, b.Context(), client)
			messages := u.requests(named("f"), io.LimitReader(endless{}, size), u.chunk)
			receipt, err := send(stream, messages, func(int64) {})
			took[i] += cpuTime(b) - start
			require.NoError(b, err)
			require.EqualValues(b, size, receipt.GetSize())
			require.Equal(b, want, receipt.GetSha256())
		}
	}
	b.ReportMetric(0, "ns/op") // of both
	return took[1].Seconds() / took[0].Seconds()
}

// cpuTime returns the time for which CPUs have run this process.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
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
