package unary

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// dial serves the file app.log of fsys in memory and returns a client.
func dial(t *testing.T, fsys fs.FS) snapshotv1.SnapshotServiceClient {
	t.Helper()
	return dialServer(t, &SnapshotServer{FS: fsys, Name: "app.log"})
}

// dialServer serves impl in memory and returns a client.
func dialServer(t *testing.T, impl snapshotv1.SnapshotServiceServer) snapshotv1.SnapshotServiceClient {
	t.Helper()
	return snapshotv1.NewSnapshotServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
		snapshotv1.RegisterSnapshotServiceServer(s, impl)
	}))
}

// A fakeServer is a SnapshotService that calls answer.
type fakeServer struct {
	snapshotv1.UnimplementedSnapshotServiceServer
	answer func(context.Context) (*snapshotv1.Snapshot, error)
}

func (s fakeServer) GetSnapshot(ctx context.Context, _ *snapshotv1.SnapshotRequest) (*snapshotv1.Snapshot, error) {
	return s.answer(ctx)
}

// text returns the code and the message of a status, as a line.
func text(err error) string {
	return fmt.Sprintf("%v: %s\n", status.Code(err), status.Convert(err).Message())
}

// register returns the function that adds a SnapshotServer of that file to a
// server.
func register(fsys fs.FS) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) {
		snapshotv1.RegisterSnapshotServiceServer(s, &SnapshotServer{FS: fsys, Name: "app.log"})
	}
}

// file returns a file system whose file app.log holds text.
func file(text string) fs.FS {
	return fstest.MapFS{"app.log": {Data: []byte(text)}}
}

// slowFS is a file system in which each ReadAt of a file takes time.
type slowFS struct {
	fs.FS
	delay time.Duration // of each ReadAt
	onGet func()        // called before each ReadAt, unless nil
	err   error         // of each ReadAt after the first, unless nil
	reads []int         // the sizes that were asked for
	open  int           // files that are open
}

func (s *slowFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	s.open++
	return &slowFile{f, s}, err
}

func (s *slowFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(s.FS, name) }

type slowFile struct {
	fs.File
	fs *slowFS
}

func (f *slowFile) ReadAt(p []byte, offset int64) (int, error) {
	if f.fs.onGet != nil {
		f.fs.onGet()
	}
	f.fs.reads = append(f.fs.reads, len(p))
	time.Sleep(f.fs.delay)
	if f.fs.err != nil && len(f.fs.reads) > 1 {
		return 0, f.fs.err
	}
	return f.File.(io.ReaderAt).ReadAt(p, offset)
}

func (f *slowFile) Close() error {
	f.fs.open--
	return f.File.Close()
}

// A replacedFS is a file system whose file is replaced between Stat and Open.
type replacedFS struct{ before, after fs.FS }

func (r replacedFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.before, name) }
func (r replacedFS) Open(name string) (fs.File, error)     { return r.after.Open(name) }
