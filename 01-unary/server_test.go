package unary

import (
	"context"
	"fmt"
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
		{"lines is missing", file("one\n"), 0, codes.InvalidArgument, "lines: must be at least 1, got 0"},
		{"lines is negative", file("one\n"), -3, codes.InvalidArgument, "lines: must be at least 1, got -3"},
		{"no file", fstest.MapFS{}, 1, codes.NotFound, "app.log"},
		{"no permission", refused{}, 1, codes.PermissionDenied, "app.log"},
		{"a directory", fstest.MapFS{"app.log": {Mode: fs.ModeDir}}, 1, codes.Internal, "app.log"},
		{"lines exceed the limit", file(strings.Repeat("x", MaxSnapshotBytes+1)), 1,
			codes.ResourceExhausted, "lines: must not exceed 8388608 bytes in total"},
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

func TestGetSnapshot_EndsAtDeadlineOfTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &slowFS{FS: file(strings.Repeat("x\n", 1<<20)), delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		start := time.Now()
		_, err := Lines(ctx, client, 5)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestGetSnapshot_StopsReadingWhenCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowFS{FS: file(strings.Repeat("x\n", 1<<20)), delay: time.Second}
		client := dial(t, log)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel)

		_, err := Lines(ctx, client, 5)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 3, log.reads, "blocks read: two, and the one that was being read at the cancel")
	})
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
				require.Equal(t, codes.Unimplemented, status.Code(err), "got %v", err)
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

// refused is a file system in which no file may be opened.
type refused struct{}

func (refused) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
