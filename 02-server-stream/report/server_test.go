package report

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestGenerateReport_AnySizeArrivesWhole(t *testing.T) {
	for name, size := range map[string]int{
		"nothing": 0, "a byte": 1, "a chunk": ChunkSize, "a chunk and a byte": ChunkSize + 1, "more than the largest message": 5 << 20,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
				client := dial(t, &ReportServer{FS: fstest.MapFS{"sales": {Data: want}}})
				var got bytes.Buffer
				n, err := Download(t.Context(), client, "sales", &got)
				require.NoError(t, err)
				require.EqualValues(t, size, n)
				require.True(t, bytes.Equal(want, got.Bytes()))
			})
		})
	}
}

// Run it with -race: GenerateReport may be called concurrently.
func TestGenerateReport_ManyAtOnceArriveWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &ReportServer{FS: fstest.MapFS{"sales": {Data: bytes.Repeat([]byte("7"), 5*ChunkSize)}}})
		ended := make(chan error, 10)
		for range cap(ended) {
			go func() {
				_, err := Download(t.Context(), client, "sales", io.Discard)
				ended <- err
			}()
		}
		for range cap(ended) {
			require.NoError(t, <-ended)
		}
	})
}

// A unary response would arrive when the whole report exists: after 1 s.
func TestGenerateReport_FirstChunkArrivesBeforeLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowFile{chunks: 10, delay: 100 * time.Millisecond}
		client := dial(t, &ReportServer{FS: source})
		start := time.Now()
		var arrivals []time.Duration

		_, err := Download(t.Context(), client, "sales", writerFunc(func(p []byte) (int, error) {
			arrivals = append(arrivals, time.Since(start))
			return len(p), nil
		}))

		require.NoError(t, err)
		require.Len(t, arrivals, 10)
		require.Equal(t, 100*time.Millisecond, arrivals[0])
		require.Equal(t, time.Second, arrivals[9])
		synctest.Wait() // until the handler has returned
		require.Zero(t, source.open)
	})
}

func TestGenerateReport_ErrorArrivesAfterTheChunks(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code codes.Code
	}{
		"status":       {status.Error(codes.Unavailable, "the printer is on fire"), codes.Unavailable},
		"known error":  {fs.ErrPermission, codes.PermissionDenied},
		"other errors": {errors.New("the printer is on fire"), codes.Internal},
		"canceled":     {context.Canceled, codes.Canceled},
		"deadline":     {context.DeadlineExceeded, codes.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, &ReportServer{FS: &slowFile{chunks: 3, err: tt.err}})
				var got bytes.Buffer
				n, err := Download(t.Context(), client, "sales", &got)
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.Contains(t, status.Convert(err).Message(), status.Convert(tt.err).Message())
				if name == "status" {
					require.EqualError(t, err, tt.err.Error())
				}
				require.EqualValues(t, 3*len("chunk\n"), n)
				require.Equal(t, "chunk\nchunk\nchunk\n", got.String())
			})
		})
	}
}

func TestGenerateReport_StopsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowFile{chunks: 1000, delay: time.Second}
		client := dial(t, &ReportServer{FS: source})
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()

		_, err := Download(ctx, client, "sales", io.Discard)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		time.Sleep(time.Second) // the read that is running ends after 10 s
		synctest.Wait()         // until the handler has returned
		require.Zero(t, source.open)
		require.Equal(t, 990, source.chunks)
	})
}

// Otherwise the trailer could describe a part of a report, and the client
// would take that part for the whole.
func TestGenerateReport_ChangedFileIsAborted(t *testing.T) {
	for name, grown := range map[string]int{"shrunk": -1, "grown": 1, "grown by a chunk": len(chunk)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &slowFile{chunks: 3, grown: grown}
				var got bytes.Buffer
				_, err := Download(t.Context(), dial(t, &ReportServer{FS: source}), "sales", &got)
				require.Equal(t, codes.Aborted, status.Code(err), "got %v", err)
				require.Equal(t, "report: the file changed while it was sent", status.Convert(err).Message())
				synctest.Wait()
				require.Zero(t, source.open)
			})
		})
	}
}

func TestGenerateReport_ReplacedFileIsSentWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &ReportServer{FS: replacedFS{
			before: fstest.MapFS{"sales": {Data: []byte("old")}},
			after:  fstest.MapFS{"sales": {Data: []byte("newer")}},
		}})
		var got strings.Builder
		_, err := Download(t.Context(), client, "sales", &got)
		require.NoError(t, err)
		require.Equal(t, "newer", got.String())
	})
}

// open(2) waits until somebody opens the FIFO for writing.
func TestGenerateReport_DoesNotOpenAFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("mkfifo", filepath.Join(dir, "sales")).Run(); err != nil {
		t.Skipf("mkfifo: %v", err)
	}
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	returned := make(chan error, 1)
	go func() {
		_, err := (&ReportServer{FS: root.FS()}).open("sales")
		returned <- err
	}()
	select {
	case err := <-returned:
		require.Equal(t, codes.InvalidArgument, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, `report_id: must name a regular file, got "sales"`)
	case <-time.After(10 * time.Second):
		t.Fatal("open waits")
	}
}

func TestGenerateReport_IDMustBeAPlainName(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600))
	reports := filepath.Join(dir, "reports")
	require.NoError(t, os.MkdirAll(filepath.Join(reports, "directory"), 0o700))
	root, err := os.OpenRoot(reports)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })

	require.NoError(t, os.WriteFile(filepath.Join(reports, ".hidden"), []byte("secret"), 0o600))
	long := strings.Repeat("x", 255)
	ids := map[string]codes.Code{
		"":               codes.InvalidArgument,
		".":              codes.InvalidArgument,
		"..":             codes.InvalidArgument,
		"../secret":      codes.InvalidArgument,
		"../etc/passwd":  codes.InvalidArgument,
		"/etc/passwd":    codes.InvalidArgument,
		"directory/../x": codes.InvalidArgument,
		`..\secret`:      codes.InvalidArgument,
		"directory":      codes.InvalidArgument,
		"none":           codes.NotFound,
		"a\x00b":         codes.InvalidArgument,
		".hidden":        codes.InvalidArgument,
		long:             codes.NotFound,
		long + "x":       codes.InvalidArgument,
	}
	if os.Symlink("../secret", filepath.Join(reports, "link")) == nil { // Windows may forbid it
		ids["link"] = codes.Internal // the link leads out of the directory, which is the server's mistake
	}
	for id, code := range ids {
		t.Run("id "+id[:min(len(id), 20)], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, &ReportServer{FS: root.FS()})
				n, err := Download(t.Context(), client, id, io.Discard)
				require.Equal(t, code, status.Code(err), "got %v", err)
				require.Equal(t, code == codes.InvalidArgument,
					strings.HasPrefix(status.Convert(err).Message(), "report_id: must "), "got %v", err)
				require.NotContains(t, err.Error(), dir)
				require.Less(t, len(err.Error()), 400)
				require.Zero(t, n)
			})
		})
	}
}

// A file can vanish after its Stat.
func TestGenerateReport_OpenThatFailsHasItsCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := replacedFS{before: fstest.MapFS{"sales": {Data: []byte("a,b\n")}}, after: fstest.MapFS{}}
		_, err := Download(t.Context(), dial(t, &ReportServer{FS: files}), "sales", io.Discard)
		require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
	})
}
