package clientstream

import (
	"fmt"
	"io"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// BenchmarkChunkSize uploads 32 MiB over loopback TCP in chunks of each
// size, and prints how fast that is against the first. The sizes take
// turns, and the fastest turn of each counts: what else the machine does
// only ever slows one down. Use -benchtime 50x or more.
func BenchmarkChunkSize(b *testing.B) {
	const size = 32 << 20
	client := dialTCP(b, sink{})
	ways := []way{
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
		{"256 KiB, one buffer", 256 << 10, sharing},
	}
	fastest := make([]time.Duration, len(ways))
	b.ReportAllocs()
	for b.Loop() {
		for i, w := range ways {
			took := w.upload(b, client, size)
			if fastest[i] == 0 || took < fastest[i] {
				fastest[i] = took
			}
		}
	}
	fmt.Print(table(ways, fastest)) // Log would cut it after 10 lines
}

// A way is one to cut a file into messages.
type way struct {
	name  string
	chunk int
	cut   func(*uploadv1.FileInfo, io.Reader, int) iter.Seq2[*uploadv1.UploadRequest, error]
}

func (w way) upload(b *testing.B, c uploadv1.UploadServiceClient, size int64) time.Duration {
	b.Helper()
	start := time.Now()
	stream, err := c.Upload(b.Context())
	require.NoError(b, err)
	file := io.LimitReader(endless{}, size)
	receipt, err := send(stream, w.cut(named("f"), file, w.chunk), func(int64) {})
	require.NoError(b, err)
	require.Equal(b, size, receipt.GetSize())
	return time.Since(start)
}

func table(ways []way, took []time.Duration) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n| chunk | speed |\n|---|---:|\n")
	for i, w := range ways {
		fmt.Fprintf(&text, "| %s | %.1f |\n", w.name, float64(took[0])/float64(took[i]))
	}
	return text.String()
}

// sharing is [requests] with one buffer for all chunks, which breaks the
// rule that a message may not change after Send.
func sharing(info *uploadv1.FileInfo, r io.Reader, size int) iter.Seq2[*uploadv1.UploadRequest, error] {
	return func(yield func(*uploadv1.UploadRequest, error) bool) {
		chunk := make([]byte, size)
		req := infoMessage(info)
		for yield(req, nil) {
			n, err := fill(chunk, r)
			if err != nil || n == 0 {
				return
			}
			req = &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: chunk[:n]}}
		}
	}
}

func dialTCP(b *testing.B, u uploadv1.UploadServiceServer) uploadv1.UploadServiceClient {
	b.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	register(u)(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, conn.Close())
		server.Stop()
		require.NoError(b, <-served)
	})
	return uploadv1.NewUploadServiceClient(conn)
}
