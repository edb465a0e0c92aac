package clientstream

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// FuzzUpload calls the handler with arbitrary messages, followed by a
// half-close or by a cancellation. An upload may change only its own file.
// Beside the directory of the server is another file, and the directory
// holds a link to that file.
func FuzzUpload(f *testing.F) {
	for _, r := range append(refusedAtOnce(), refusedAtEnd...) {
		if text := encode(f, r.sent); len(text) < 1000 {
			f.Add(text, false)
		}
	}
	whole := encode(f, sends(sized(5), chunk("half "), chunk("half")))
	f.Add(whole, false)
	f.Add(whole, true)
	f.Add(encode(f, sends(replacing("old"), chunk("new"))), false)
	f.Add(encode(f, sends(replacing("link"), chunk("new"))), false)

	f.Fuzz(func(t *testing.T, text []byte, canceled bool) {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "files"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "outside"), []byte("secret"), 0o600))
		root, err := os.OpenRoot(filepath.Join(dir, "files"))
		require.NoError(t, err)
		defer root.Close()
		s := &UploadServer{Root: root, MaxBytes: 100}
		write(t, s, "old", "old")
		require.NoError(t, root.Mkdir("dir", 0o700))
		if err := root.Symlink("../outside", "link"); runtime.GOOS != "windows" {
			require.NoError(t, err) // Windows allows links only to some users
		}
		want := tree(t, dir)

		in := &messages{text: bytes.NewReader(text), canceled: canceled}
		err = s.Upload(in)

		if err == nil {
			want["files/"+in.info.GetName()] = in.chunks.String()
			sum := sha256.Sum256(in.chunks.Bytes())
			require.Equal(t, sum[:], in.receipt.GetSha256())
			require.Equal(t, int64(in.chunks.Len()), in.receipt.GetSize())
		} else {
			require.Contains(t, clientCodes, status.Code(err), "got %v", err)
			require.NotContains(t, err.Error(), dir, "a path of the server")
			require.Nil(t, in.receipt)
		}
		require.Equal(t, want, tree(t, dir))
	})
}

// clientCodes are the codes of refusals that the client has caused.
var clientCodes = []codes.Code{
	codes.InvalidArgument, codes.AlreadyExists, codes.ResourceExhausted, codes.Canceled,
}

// encode returns the encoded messages, each after its length.
func encode(t testing.TB, sent []*uploadv1.UploadRequest) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, m := range sent {
		_, err := protodelim.MarshalTo(&text, m)
		require.NoError(t, err)
	}
	return text.Bytes()
}

// messages is a stream of encoded messages. A message that cannot be decoded
// ends the stream as a cancellation does.
type messages struct {
	grpc.ServerStream
	text     *bytes.Reader
	canceled bool
	info     *uploadv1.FileInfo
	chunks   bytes.Buffer
	receipt  *uploadv1.UploadReceipt
}

func (m *messages) Recv() (*uploadv1.UploadRequest, error) {
	req := new(uploadv1.UploadRequest)
	err := protodelim.UnmarshalFrom(m.text, req)
	switch {
	case errors.Is(err, io.EOF) && !m.canceled:
		return nil, io.EOF
	case err != nil:
		return nil, status.Error(codes.Canceled, "context canceled")
	}
	if req.GetInfo() != nil {
		m.info = req.GetInfo()
	}
	m.chunks.Write(req.GetChunk())
	return req, nil
}

func (m *messages) SendHeader(metadata.MD) error { return nil } // a task of the lesson calls it

func (m *messages) SendAndClose(receipt *uploadv1.UploadReceipt) error {
	m.receipt = receipt
	return nil
}

// tree returns what is below dir: the text of each file, and the type of
// everything else.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	fsys := os.DirFS(dir)
	require.NoError(t, fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			all[name] = entry.Type().String()
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		all[name] = string(text)
		return err
	}))
	return all
}
