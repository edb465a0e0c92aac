// Code generated from 03-client-stream/server_test.go; DO NOT EDIT.

package fastupload

import (
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// A refusal is an upload that the server refuses. The directory has the
// file "old" and the directory "dir", and the limit is 100 bytes.
type refusal struct {
	name string
	sent []*uploadv1.UploadRequest
	code codes.Code
	says string
}

// refusedAtOnce returns uploads that the server refuses before the
// half-close.
func refusedAtOnce() []refusal {
	many := strings.Repeat("x", 60)
	return append([]refusal{
		{"a chunk before the info", sends(chunk("x")), codes.InvalidArgument, "info: must be the first message"},
		{"an empty first message", sends(new(uploadv1.UploadRequest)), codes.InvalidArgument, "info: must be the first message"},
		{"a second info", sends(info("f"), info("f")), codes.InvalidArgument, "info: must be sent only once"},
		{"an empty chunk", sends(info("f"), chunk("")), codes.InvalidArgument, "chunk: must not be empty"},
		{"an empty message", sends(info("f"), new(uploadv1.UploadRequest)), codes.InvalidArgument, "chunk: must not be empty"},
		{"the name of a file", sends(info("old")), codes.AlreadyExists, `name: must be new unless replace is set, got "old"`},
		{"the name of a directory", sends(info("dir")), codes.AlreadyExists, `name: must be new or that of a regular file, got "dir"`},
		{"a directory to replace", sends(replacing("dir")), codes.AlreadyExists, `name: must be new or that of a regular file, got "dir"`},
		{"too large as declared", sends(sized(101)), codes.ResourceExhausted, "size: must not exceed 100 bytes, got 101"},
		{"too large as sent", sends(info("f"), chunk(many), chunk(many)), codes.ResourceExhausted, "chunk: must not exceed 100 bytes in total, got 120"},
		{"a negative size", sends(sized(-1)), codes.InvalidArgument, "size: must be at least 0, got -1"},
		{"more than declared", sends(sized(5), chunk("five!"), chunk("!")), codes.InvalidArgument, "size: must equal the bytes sent (at least 6), got 5"},
		{"more than none", sends(sized(0), chunk("!")), codes.InvalidArgument, "size: must equal the bytes sent (at least 1), got 0"},
		{"a message over 4 MiB", sends(info("f"), chunk(strings.Repeat("x", 4<<20))), codes.ResourceExhausted, "received message larger than max (4194309 vs. 4194304)"},
	}, badNames()...)
}

// refusedAtEnd are uploads that the server refuses at the half-close.
var refusedAtEnd = []refusal{
	{"no message", nil, codes.InvalidArgument, "info: must be the first message"},
	{"fewer than declared", sends(sized(5), chunk("four")), codes.InvalidArgument, "size: must equal the bytes sent (4), got 5"},
	{"none though declared", sends(sized(5)), codes.InvalidArgument, "size: must equal the bytes sent (0), got 5"},
}

func sends(messages ...*uploadv1.UploadRequest) []*uploadv1.UploadRequest { return messages }

func TestUpload_RefusalSaysWhyAndStoresNothing(t *testing.T) {
	for _, r := range append(refusedAtOnce(), refusedAtEnd...) {
		t.Run(r.name, func(t *testing.T) {
			r.check(t, func(clientStream) {})
		})
	}
}

// The client sends until Send fails.
func TestUpload_RefusalArrivesWhileClientSends(t *testing.T) {
	for _, r := range refusedAtOnce() {
		t.Run(r.name, func(t *testing.T) {
			r.check(t, func(stream clientStream) {
				var err error
				for err == nil {
					err = stream.Send(chunk("more"))
				}
				require.ErrorIs(t, err, io.EOF, "Send does not say why")
			})
		})
	}
}

func (r refusal) check(t *testing.T, sendMore func(clientStream)) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.MaxBytes = 100
		write(t, s, "old", "old")
		require.NoError(t, s.Root.Mkdir("dir", 0o700))

		stream := open(t, t.Context(), dial(t, s), r.sent...)
		sendMore(stream)
		_, err := stream.CloseAndRecv()

		requireCode(t, r.code, err)
		require.Contains(t, status.Convert(err).Message(), r.says)
		synctest.Wait() // gRPC itself can refuse before the handler has returned
		require.Equal(t, []string{"dir", "old"}, names(t, s))
		require.Equal(t, "old", read(t, s, "old"))
	})
}

func TestUpload_OnlyTheServerMayReadTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	s := newServer(t)
	_, err := Upload(t.Context(), dial(t, s), named("f"), strings.NewReader("x"), nil)
	require.NoError(t, err)
	stat, err := s.Root.Stat("f")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode())
}

func TestUpload_LimitIsOneGiBByDefault(t *testing.T) {
	_, err := open(t, t.Context(), dial(t, newServer(t)), sized(DefaultMaxBytes+1)).CloseAndRecv()
	requireCode(t, codes.ResourceExhausted, err)
	require.ErrorContains(t, err, "size: must not exceed 1073741824 bytes, got 1073741825")
}

func TestUpload_BrokenDirectoryIsInternal(t *testing.T) {
	for name, damage := range map[string]func(*os.Root) error{
		"closed":  (*os.Root).Close,
		"removed": func(root *os.Root) error { return os.Remove(root.Name()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			if name == "removed" && runtime.GOOS == "windows" {
				t.Skip("Windows has its own errors for a directory that is removed while it is open")
			}
			require.NoError(t, damage(s.Root))
			_, err := Upload(t.Context(), dial(t, s), named("f"), strings.NewReader("x"), nil)
			requireCode(t, codes.Internal, err)
		})
	}
}
