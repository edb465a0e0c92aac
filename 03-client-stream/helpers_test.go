package clientstream

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet"
)

type (
	serverStream = grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]
	clientStream = grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt]
)

// newServer returns an UploadServer with an empty directory.
func newServer(t testing.TB) *UploadServer {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	return &UploadServer{Root: root}
}

func register(u uploadv1.UploadServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { uploadv1.RegisterUploadServiceServer(s, u) }
}

func dial(t testing.TB, u uploadv1.UploadServiceServer) uploadv1.UploadServiceClient {
	t.Helper()
	return uploadv1.NewUploadServiceClient(bufnet.Dial(t, register(u)))
}

// names returns what is in the directory, hidden names too.
func names(t testing.TB, s *UploadServer) []string {
	t.Helper()
	entries, err := fs.ReadDir(s.Root.FS(), ".")
	require.NoError(t, err)
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

// read returns what a file holds.
func read(t testing.TB, s *UploadServer, name string) string {
	t.Helper()
	text, err := s.Root.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

func write(t testing.TB, s *UploadServer, name, text string) {
	t.Helper()
	require.NoError(t, s.Root.WriteFile(name, []byte(text), 0o600))
}

// generated is a file of size bytes that no memory holds.
func generated(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{}), size)
}

// A paced reader is a file whose next bytes come when the test says so.
type paced struct {
	io.Reader
	before func() // called before each Read
}

func (p paced) Read(b []byte) (int, error) {
	p.before()
	return p.Reader.Read(b)
}

// endless is a file of zeros that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func named(name string) *uploadv1.FileInfo { return &uploadv1.FileInfo{Name: name} }

func infoMessage(info *uploadv1.FileInfo) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{Info: info}}
}

func info(name string) *uploadv1.UploadRequest { return infoMessage(named(name)) }

func chunk(text string) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: []byte(text)}}
}

// open starts an upload that has sent these messages.
func open(
	t testing.TB, ctx context.Context, c uploadv1.UploadServiceClient, messages ...*uploadv1.UploadRequest,
) clientStream {
	t.Helper()
	stream, err := c.Upload(ctx)
	require.NoError(t, err)
	for _, m := range messages {
		if err := stream.Send(m); !errors.Is(err, io.EOF) {
			require.NoError(t, err)
		}
	}
	return stream
}

// written returns what a progress function writes.
func written(newProgress func(io.Writer, int64) func(int64), size int64, sent []int64) string {
	var out strings.Builder
	progress := newProgress(&out, size)
	for _, n := range sent {
		progress(n)
	}
	return out.String()
}
