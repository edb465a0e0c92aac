package unary

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/bufnet"
)

// dial returns a client of a server that has the file app.log.
func dial(t *testing.T, fsys fs.FS) snapshotv1.SnapshotServiceClient {
	conn := bufnet.Dial(t, func(s grpc.ServiceRegistrar) {
		snapshotv1.RegisterSnapshotServiceServer(s, &SnapshotServer{FS: fsys, Name: "app.log"})
	})
	return snapshotv1.NewSnapshotServiceClient(conn)
}

func file(text string) fs.FS {
	return fstest.MapFS{"app.log": {Data: []byte(text)}}
}

func TestTheLastLinesArriveOldestFirst(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		n          int32
		want       string
	}{
		{"some of them", "one\ntwo\nthree\n", 2, "two|three"},
		{"all of them", "one\ntwo\nthree\n", 3, "one|two|three"},
		{"a shorter log", "one\ntwo\n", 9, "one|two"},
		{"no newline at the end", "one\ntwo", 1, "two"},
		{"empty lines", "one\n\n\n", 2, "|"},
		{"carriage returns stay", "one\r\ntwo\r\n", 1, "two\r"},
		{"not UTF-8", "one\n\xff\xfe\n", 1, "\xff\xfe"},
		{"lines longer than a block", strings.Repeat("x\n", 9) + strings.Repeat("y", 3*blockSize) + "\nz\n", 2,
			strings.Repeat("y", 3*blockSize) + "|z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines, err := Lines(t.Context(), dial(t, file(tt.text)), tt.n)
				require.NoError(t, err)
				require.Equal(t, tt.want, string(bytes.Join(lines, []byte("|"))))
			})
		})
	}
}

func TestAnEmptyLogHasNoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, err := Lines(t.Context(), dial(t, file("")), 5)
		require.NoError(t, err)
		require.Empty(t, lines)
	})
}

func TestAFileWithoutOffsetsGivesTheSameLines(t *testing.T) {
	text := strings.Repeat("line\n", 100_000) + "last but one\nlast\n"
	for name, f := range map[string]fs.File{
		"read from the end": &counted{text: text},
		"read through":      struct{ fs.File }{&counted{text: text}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tail(t.Context(), oneFile{f}, "app.log", 2)
			require.NoError(t, err)
			require.Equal(t, "last but one\nlast\n", string(got))
		})
	}
}

func TestTheTailOfTenGigabytesReadsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &counted{text: "\none\ntwo\nthree\n", before: 10 << 30}
		lines, err := Lines(t.Context(), dial(t, oneFile{f}), 3)
		require.NoError(t, err)
		require.Len(t, lines, 3)
		require.LessOrEqual(t, f.read, int64(2*blockSize), "bytes read")
	})
}

func TestErrorsHaveTheirCode(t *testing.T) {
	const tooLong = MaxSnapshotBytes + 1
	for _, tt := range []struct {
		name string
		fsys fs.FS
		n    int32
		code codes.Code
		says string
	}{
		{"n is missing", file("one\n"), 0, codes.InvalidArgument, "lines: must be at least 1, got 0"},
		{"n is negative", file("one\n"), -3, codes.InvalidArgument, "lines: must be at least 1, got -3"},
		{"no such file", fstest.MapFS{}, 1, codes.NotFound, "app.log"},
		{"not allowed", refused{}, 1, codes.PermissionDenied, "app.log"},
		{"a directory", fstest.MapFS{"app.log": {Mode: fs.ModeDir}}, 1, codes.Internal, "app.log"},
		{"more than the server holds", oneFile{&counted{text: "\n", before: 2 * tooLong}}, 1, codes.ResourceExhausted, "8388608"},
		{"the same, read through", oneFile{struct{ fs.File }{&counted{text: "\n", before: tooLong}}}, 1, codes.ResourceExhausted, "8388608"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := Lines(t.Context(), dial(t, tt.fsys), tt.n)
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, tt.says)
			})
		})
	}
}

func TestADeadlineOfTenSecondsEndsAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, oneFile{&counted{before: 1 << 30, delay: time.Second}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		start := time.Now()
		_, err := Lines(ctx, client, 5)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestACancelledRequestStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &counted{before: 1 << 30, delay: time.Second}
		client := dial(t, oneFile{f})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel)

		_, err := Lines(ctx, client, 5)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, int64(3*blockSize), f.read, "bytes read: two blocks, and the one under way")
	})
}

func TestAMissingMethodIsUnimplemented(t *testing.T) {
	for name, tt := range map[string]struct {
		register func(grpc.ServiceRegistrar)
		says     string
	}{
		"no such service": {func(grpc.ServiceRegistrar) {}, "unknown service snapshot.v1.SnapshotService"},
		"no such method": {func(s grpc.ServiceRegistrar) {
			snapshotv1.RegisterSnapshotServiceServer(s, snapshotv1.UnimplementedSnapshotServiceServer{})
		}, "method GetSnapshot not implemented"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := snapshotv1.NewSnapshotServiceClient(bufnet.Dial(t, tt.register))
				_, err := Lines(t.Context(), client, 1)
				require.Equal(t, codes.Unimplemented, status.Code(err))
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

// A counted file holds text after before bytes of 'x', and counts the bytes
// that are read. Each read takes delay.
type counted struct {
	before int64
	text   string
	delay  time.Duration
	read   int64
	offset int64
}

func (f *counted) ReadAt(p []byte, off int64) (int, error) {
	time.Sleep(f.delay)
	n := int(min(int64(len(p)), f.before+int64(len(f.text))-off))
	x := int(max(0, min(int64(n), f.before-off)))
	copy(p[:x], xs)
	if x < n {
		copy(p[x:n], f.text[off+int64(x)-f.before:])
	}
	f.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

var xs = bytes.Repeat([]byte("x"), blockSize)

func (f *counted) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.offset)
	f.offset += int64(n)
	return n, err
}

func (f *counted) Close() error               { return nil }
func (f *counted) Stat() (fs.FileInfo, error) { return f, nil }
func (f *counted) Name() string               { return "app.log" }
func (f *counted) Size() int64                { return f.before + int64(len(f.text)) }
func (f *counted) Mode() fs.FileMode          { return 0o444 }
func (f *counted) ModTime() time.Time         { return time.Time{} }
func (f *counted) IsDir() bool                { return false }
func (f *counted) Sys() any                   { return nil }

// oneFile is a file system in which every name is the same file.
type oneFile struct{ fs.File }

func (f oneFile) Open(string) (fs.File, error) { return f.File, nil }

// refused is a file system whose files may not be opened.
type refused struct{}

func (refused) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
