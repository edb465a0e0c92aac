package unary

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestGetSnapshot_ReturnsLastLinesOldestFirst(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		n          int32
		want       []string
	}{
		{"some of them", "one\ntwo\nthree\n", 2, []string{"two", "three"}},
		{"all of them", "one\ntwo\nthree\n", 3, []string{"one", "two", "three"}},
		{"a shorter log", "one\ntwo\n", 9, []string{"one", "two"}},
		{"an empty log", "", 9, nil},
		{"no newline at the end", "one\ntwo", 1, []string{"two"}},
		{"empty lines", "one\n\n\n", 2, []string{"", ""}},
		{"carriage returns stay", "one\r\ntwo\r\n", 1, []string{"two\r"}},
		{"not UTF-8", "one\n\xff\xfe\n", 1, []string{"\xff\xfe"}},
		{"a newline begins a block", "one\ntwo" + "\n" + strings.Repeat("y", blockSize-1), 1, []string{strings.Repeat("y", blockSize-1)}},
		{"a newline ends a block", "one\n" + strings.Repeat("y", blockSize), 2, []string{"one", strings.Repeat("y", blockSize)}},
		{"a line is a block", "one\n" + strings.Repeat("y", blockSize-1) + "\n", 1, []string{strings.Repeat("y", blockSize-1)}},
		{"many blocks", strings.Repeat("line\n", 100_000) + "last but one\nlast\n", 2, []string{"last but one", "last"}},
		{"lines longer than a block", strings.Repeat("x\n", 9) + strings.Repeat("y", 3*blockSize) + "\nz\n", 2,
			[]string{strings.Repeat("y", 3*blockSize), "z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines, err := Lines(t.Context(), dial(t, file(tt.text)), tt.n)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("%q", tt.want), fmt.Sprintf("%q", lines))
			})
		})
	}
}

func TestGetSnapshot_ReturnsCodeForEachError(t *testing.T) {
	for _, tt := range []struct {
		name string
		fsys fs.FS
		n    int32
		code codes.Code
		says string
	}{
		{"lines is missing", file("one\n"), 0, codes.InvalidArgument, "lines: must be between 1 and 10000, got 0"},
		{"lines is negative", file("one\n"), -3, codes.InvalidArgument, "lines: must be between 1 and 10000, got -3"},
		{"lines is too large", file("one\n"), 10_001, codes.InvalidArgument, "lines: must be between 1 and 10000, got 10001"},
		{"no file", fstest.MapFS{}, 1, codes.NotFound, "log: file does not exist"},
		{"no permission", refused{}, 1, codes.PermissionDenied, "log: permission denied"},
		{"a directory", fstest.MapFS{"app.log": {Mode: fs.ModeDir}}, 1, codes.FailedPrecondition, "log: not a regular file"},
		{"lines exceed the limit", file(strings.Repeat("x", MaxSnapshotBytes)), 1,
			codes.ResourceExhausted, "lines: must not exceed 1048576 bytes in total"},
		{"the disk fails", &slowFS{FS: longLine, err: errors.New("broken disk")}, 1, codes.Internal, "log: broken disk"},
		{"not an io.ReaderAt", onlyFS{file("one\n")}, 1, codes.Internal, "does not implement io.ReaderAt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := Lines(t.Context(), dial(t, tt.fsys), tt.n)
				require.Equal(t, tt.code.String(), status.Code(err).String(), "got %v", err)
				require.Contains(t, status.Convert(err).Message(), tt.says)
				require.NotContains(t, err.Error(), "app.log", "the client need not know the server's paths")
			})
		})
	}
}

func TestGetSnapshot_EndsAtDeadlineOfTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &slowFS{FS: longLine, delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		start := time.Now()
		_, err := Lines(ctx, client, 5)

		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestGetSnapshot_StopsReadingWhenCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowFS{FS: longLine, delay: time.Second}
		client := dial(t, log)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel)

		_, err := Lines(ctx, client, 5)
		require.Equal(t, codes.Canceled.String(), status.Code(err).String(), "got %v", err)

		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []int{65536, 65536, 65536}, log.reads, "two blocks, and the one that was being read at the cancel")
		require.Zero(t, log.open, "files that are still open")
	})
}

// Usually the client's own timer ends the call first, and only the server's
// interceptors and stats handlers see what the handler returns.
func TestGetSnapshot_HandlerReturnsWhyItsContextEnded(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Time{})
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		code codes.Code
	}{{canceled, codes.Canceled}, {late, codes.DeadlineExceeded}} {
		s := &SnapshotServer{FS: longLine, Name: "app.log"}
		_, err := s.GetSnapshot(tt.ctx, &snapshotv1.SnapshotRequest{Lines: 1})
		require.Equal(t, tt.code.String(), status.Code(err).String(), "what the handler returns; got %v", err)
	}
}

func TestLines_CanceledCallLosesTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := make(chan bool, 1)
		client := dialServer(t, fakeServer{answer: func(ctx context.Context) (*snapshotv1.Snapshot, error) {
			<-ctx.Done()
			finished <- true
			return &snapshotv1.Snapshot{Lines: [][]byte{[]byte("one")}}, nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)

		lines, err := Lines(ctx, client, 1)

		require.Equal(t, "Canceled", status.Code(err).String(), "got %v", err)
		require.Empty(t, lines)
		require.True(t, <-finished, "the handler returns nil")

		start := time.Now()
		_, err = Lines(ctx, client, 1)
		require.Equal(t, "Canceled", status.Code(err).String(), "of a context that has ended; got %v", err)
		require.Zero(t, time.Since(start))
	})
}

// gRPC calls each handler in a goroutine of its own. With -race, the test
// fails if calls of a SnapshotServer share data.
func TestGetSnapshot_CallsRunConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &SnapshotServer{FS: file("one\n"), Name: "app.log"}
		client := dialServer(t, fakeServer{answer: func(ctx context.Context) (*snapshotv1.Snapshot, error) {
			time.Sleep(time.Second)
			return s.GetSnapshot(ctx, &snapshotv1.SnapshotRequest{Lines: 1})
		}})
		start := time.Now()
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := Lines(t.Context(), client, 1)
				errs <- err
			}()
		}
		for range 3 {
			require.NoError(t, <-errs)
		}
		require.Equal(t, time.Second, time.Since(start), "three calls of a second each")
	})
}

func TestSnapshot_GetterWorksOnNil(t *testing.T) {
	require.Nil(t, (*snapshotv1.Snapshot)(nil).GetLines())
	require.Zero(t, (*snapshotv1.SnapshotRequest)(nil).GetLines())
}

func TestRegister_PanicsIfTheStructIsANilPointer(t *testing.T) {
	type byPointer struct {
		*snapshotv1.UnimplementedSnapshotServiceServer
	}
	require.Panics(t, func() { snapshotv1.RegisterSnapshotServiceServer(grpc.NewServer(), byPointer{}) })
}

func TestRetryable_MeansUnavailable(t *testing.T) {
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		require.Equal(t, code == codes.Unavailable, Retryable(status.Error(code, "stub")), code.String())
	}
}

// A client receives at most 4 MiB by default.
func TestGetSnapshot_LargestFitsADefaultClient(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("\n", MaxSnapshotBytes),
		strings.Repeat(strings.Repeat("x", 103)+"\n", MaxLines),
		strings.Repeat("x", MaxSnapshotBytes-1) + "\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			lines, err := Lines(t.Context(), dial(t, file(text)), MaxLines)
			require.NoError(t, err)
			require.LessOrEqual(t, proto.Size(&snapshotv1.Snapshot{Lines: lines}), 4<<20)
		})
	}
}

// Log rotation may copy a file and then truncate it.
func TestGetSnapshot_ReadsATruncatedFileAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		shorter []string // what the file holds at each read
		want    string
	}{
		"once":  {[]string{"2\n", "2\n"}, "[2] <nil>"},
		"twice": {[]string{"2\n", ""}, "[] rpc error: code = Unavailable desc = log: truncated while it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "app.log"), []byte(text), 0o600))
			}
			write("one\n")
			log := &slowFS{FS: os.DirFS(dir), onGet: func() {
				write(tt.shorter[0])
				tt.shorter = tt.shorter[1:]
			}}
			s := &SnapshotServer{FS: log, Name: "app.log"}
			snapshot, err := s.GetSnapshot(t.Context(), &snapshotv1.SnapshotRequest{Lines: 1})
			require.Equal(t, tt.want, fmt.Sprintf("%s %v", snapshot.GetLines(), err))
		})
	}
}

func TestGetSnapshot_ReadsAReplacedFileToItsEnd(t *testing.T) {
	s := &SnapshotServer{FS: replacedFS{file("one\n"), file("one\ntwo\n")}, Name: "app.log"}
	snapshot, err := s.GetSnapshot(t.Context(), &snapshotv1.SnapshotRequest{Lines: 1})
	require.NoError(t, err)
	require.Equal(t, "two", string(snapshot.GetLines()[0]))
}

// open(2) waits until somebody opens the FIFO for writing.
func TestGetSnapshot_DoesNotOpenAFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("mkfifo", filepath.Join(dir, "app.log")).Run(); err != nil {
		t.Skipf("mkfifo: %v", err)
	}
	s := &SnapshotServer{FS: os.DirFS(dir), Name: "app.log"}
	returned := make(chan error, 1)
	go func() {
		_, err := s.GetSnapshot(t.Context(), &snapshotv1.SnapshotRequest{Lines: 1})
		returned <- err
	}()
	select {
	case err := <-returned:
		require.Equal(t, codes.FailedPrecondition.String(), status.Code(err).String(), "got %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("GetSnapshot waits in open")
	}
}

func TestGetSnapshot_IsUnimplementedIfMissing(t *testing.T) {
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
				client := snapshotv1.NewSnapshotServiceClient(memservertest.Dial(t, tt.register))
				_, err := Lines(t.Context(), client, 1)
				require.Equal(t, codes.Unimplemented.String(), status.Code(err).String(), "got %v", err)
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

var longLine = file(strings.Repeat("x", MaxSnapshotBytes)) // 16 blocks

// An onlyFS hides the methods of its files that [fs.File] does not have.
type onlyFS struct{ fs.FS }

func (o onlyFS) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	return struct{ fs.File }{f}, err
}

// refused is a file system in which no file may be opened.
type refused struct{}

func (refused) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
