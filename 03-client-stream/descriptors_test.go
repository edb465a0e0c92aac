//go:build unix

package clientstream

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// With an error after the name was given, the client would retry an upload
// that is stored.
func TestPublish_NeedsNoDescriptorAfterTheName(t *testing.T) {
	s := newServer(t)
	in := received(t, s, false)
	var again func()
	in.file.sync = func(f *os.File) error {
		if !isDir(t, f) {
			again = openNoMoreFiles(t)
		}
		return nil
	}
	_, err := in.finish()
	again()
	require.NoError(t, err)
	require.Equal(t, "new", read(t, s, "f"))
}

func TestPublish_TooManyOpenFilesStoresNothing(t *testing.T) {
	s := newServer(t)
	in := received(t, s, false)
	again := openNoMoreFiles(t)
	_, err := in.finish()
	again()
	requireCode(t, codes.ResourceExhausted, err)
	require.Equal(t, "the server failed to store the file: too many open files", status.Convert(err).Message())
	in.file.discard()
	require.Empty(t, names(t, s))
}

func TestUpload_LeavesNoDescriptor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lists the open files of a process in /proc")
	}
	for name, upload := range map[string]func(*testing.T, *UploadServer){
		"stored": func(t *testing.T, s *UploadServer) {
			_, err := open(t, t.Context(), dial(t, s), info("f"), chunk("x")).CloseAndRecv()
			require.NoError(t, err)
		},
		"refused": func(t *testing.T, s *UploadServer) {
			_, err := open(t, t.Context(), dial(t, s), info("f"), chunk("")).CloseAndRecv()
			requireCode(t, codes.InvalidArgument, err)
		},
		"refused at the end": func(t *testing.T, s *UploadServer) {
			_, err := open(t, t.Context(), dial(t, s), sized(5), chunk("four")).CloseAndRecv()
			requireCode(t, codes.InvalidArgument, err)
		},
		"canceled": func(t *testing.T, s *UploadServer) {
			ctx, cancel := context.WithCancel(t.Context())
			open(t, ctx, dial(t, s), info("f"), chunk("x"))
			synctest.Wait()
			require.Len(t, openFiles(t, s), 2, "the directory and the partial file")
			cancel()
		},
		"silent": func(t *testing.T, s *UploadServer) {
			require.Error(t, open(t, t.Context(), dial(t, s), info("f")).RecvMsg(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				upload(t, s)
				synctest.Wait()
				require.Equal(t, []string{s.Root.Name()}, openFiles(t, s))
			})
		})
	}
}

// openNoMoreFiles forbids the process to open files, until the test calls
// again or ends. What is open stays open.
func openNoMoreFiles(t *testing.T) (again func()) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 0
	again = func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)) }
	t.Cleanup(again)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	return again
}

// openFiles returns the open files in the directory, and the directory.
func openFiles(t *testing.T, s *UploadServer) (paths []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	for _, fd := range all {
		path, _ := os.Readlink(fd) // fails for the descriptor that Glob has used
		if strings.HasPrefix(path, s.Root.Name()) {
			paths = append(paths, path)
		}
	}
	return paths
}
