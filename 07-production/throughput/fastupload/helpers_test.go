package fastupload

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/internal/memserver/memservertest"
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) } // as package main does

// What the tests of chapter 03 call.

const (
	DefaultMaxBytes    = clientstream.DefaultMaxBytes
	DefaultIdleTimeout = clientstream.DefaultIdleTimeout
)

var (
	ErrNoReceipt = clientstream.ErrNoReceipt
	UploadChunks = clientstream.UploadChunks
)

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

type (
	serverStream = grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]
	clientStream = grpc.ClientStreamingClient[uploadv1.UploadRequest, uploadv1.UploadReceipt]
)

// A stub is an UploadService whose handler is OnUpload.
type stub struct {
	uploadv1.UnimplementedUploadServiceServer
	OnUpload func(serverStream) error
}

func (s stub) Upload(stream serverStream) error { return s.OnUpload(stream) }

// newServer returns an UploadServer with an empty directory.
func newServer(t testing.TB) *UploadServer {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = root.Close() })
	s := new(UploadServer)
	s.Root = root
	return s
}

// register returns the function that adds srv to a server.
func register(srv uploadv1.UploadServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { uploadv1.RegisterUploadServiceServer(s, srv) }
}

// dial serves srv in memory and returns a client.
func dial(t testing.TB, srv uploadv1.UploadServiceServer) uploadv1.UploadServiceClient {
	t.Helper()
	return uploadv1.NewUploadServiceClient(memservertest.Dial(t, register(srv)))
}

// listenTCP serves srv over loopback TCP and returns the address.
func listenTCP(t testing.TB, srv uploadv1.UploadServiceServer, opts ...grpc.ServerOption) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	server := grpc.NewServer(append(opts, grpc.WaitForHandlers(true))...)
	register(srv)(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// open starts an upload and sends messages. It stops when the server ends
// the call.
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

// requireCode fails the test unless err has the code want. It names both
// codes.
func requireCode(t testing.TB, want codes.Code, err error) {
	t.Helper()
	require.Equal(t, want.String(), status.Code(err).String(), "the error is %v", err)
}

// requireBytes fails the test unless got is want. It does not print them.
func requireBytes(t testing.TB, want []byte, got string, what string) {
	t.Helper()
	if string(want) != got {
		t.Fatalf("%s: got %d bytes, want %d bytes, and they differ", what, len(got), len(want))
	}
}

// Messages of an upload.

func named(name string) *uploadv1.FileInfo { return &uploadv1.FileInfo{Name: name} }

func infoRequest(info *uploadv1.FileInfo) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{Info: info}}
}

func info(name string) *uploadv1.UploadRequest { return infoRequest(named(name)) }

func sized(size int64) *uploadv1.UploadRequest {
	return infoRequest(&uploadv1.FileInfo{Name: "f", Size: &size})
}

func replacing(name string) *uploadv1.UploadRequest {
	return infoRequest(&uploadv1.FileInfo{Name: name, Replace: true})
}

func chunk(text string) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: []byte(text)}}
}

// Files of the server.

// names returns the names in the directory, also those that begin with a
// dot.
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

// partialSize returns the size of the partial file, which must be the only
// file.
func partialSize(t testing.TB, s *UploadServer) int64 {
	t.Helper()
	all := names(t, s)
	require.Len(t, all, 1)
	require.True(t, strings.HasPrefix(all[0], ".upload-"), "the partial file has the name %s", all[0])
	stat, err := s.Root.Stat(all[0])
	require.NoError(t, err)
	return stat.Size()
}

// Files of the client.

// generated returns a file of size random bytes that is not in memory. It
// is the same file each time.
func generated(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{}), size)
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A paced reader calls before, and then reads.
type paced struct {
	io.Reader
	before func()
}

func (p paced) Read(b []byte) (int, error) {
	p.before()
	return p.Reader.Read(b)
}

// inTheMiddle returns an endless file that calls act once the server has
// stored two chunks.
func inTheMiddle(t *testing.T, s *UploadServer, act func()) io.Reader {
	reads := 0
	return paced{endless{}, func() {
		if reads++; reads == 3 {
			synctest.Wait()
			require.Equal(t, int64(2*ChunkSize), partialSize(t, s))
			act()
		}
	}}
}

func sum(t testing.TB, r io.Reader) []byte {
	t.Helper()
	hash := sha256.New()
	_, err := io.Copy(hash, r)
	require.NoError(t, err)
	return hash.Sum(nil)
}
