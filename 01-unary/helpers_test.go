package unary

import (
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// dial serves the file app.log of fsys in memory and returns a client.
func dial(t *testing.T, fsys fs.FS) snapshotv1.SnapshotServiceClient {
	t.Helper()
	return snapshotv1.NewSnapshotServiceClient(memservertest.Dial(t, register(fsys)))
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

// slowFS is a file system in which each Read of a file takes time.
type slowFS struct {
	fs.FS
	delay time.Duration // of each Read
	reads int           // how often Read was called
}

func (s *slowFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return &slowFile{f, s}, err
}

type slowFile struct {
	fs.File
	fs *slowFS
}

func (f *slowFile) Read(p []byte) (int, error) {
	f.fs.reads++
	time.Sleep(f.fs.delay)
	return f.File.Read(p)
}
