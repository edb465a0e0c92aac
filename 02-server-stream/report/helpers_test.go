package report

import (
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"

	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/memserver/memservertest"
)

type serverStream = grpc.ServerStreamingServer[reportv1.ReportChunk]

// register returns the function that adds srv to a server.
func register(srv reportv1.ReportServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { reportv1.RegisterReportServiceServer(s, srv) }
}

// dial serves srv in memory and returns a client.
func dial(t *testing.T, srv reportv1.ReportServiceServer) reportv1.ReportServiceClient {
	t.Helper()
	return reportv1.NewReportServiceClient(memservertest.Dial(t, register(srv)))
}

// A stub is a ReportService whose handler is OnGenerateReport.
type stub struct {
	reportv1.UnimplementedReportServiceServer
	OnGenerateReport func(serverStream) error
}

func (s stub) GenerateReport(_ *reportv1.ReportRequest, stream serverStream) error {
	return s.OnGenerateReport(stream)
}

// A writerFunc is an [io.Writer] that calls itself.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A slowFile is a file, and also the file system that opens that file under
// every name. Each Read takes the time delay and returns one chunk. After the
// last chunk, Read returns err, or io.EOF if err is nil. Stat reports grown
// bytes less than can be read.
type slowFile struct {
	fs.File
	chunks int
	grown  int
	delay  time.Duration
	err    error
	open   int // how often the file is open
}

const chunk = "chunk\n"

func (f *slowFile) Open(string) (fs.File, error) {
	f.open++
	return f, nil
}

func (f *slowFile) Read(p []byte) (int, error) {
	switch {
	case f.chunks == 0 && f.err != nil:
		return 0, f.err
	case f.chunks == 0:
		return 0, io.EOF
	}
	time.Sleep(f.delay)
	f.chunks--
	return copy(p, chunk), nil
}

func (f *slowFile) Close() error {
	f.open--
	return nil
}

func (f *slowFile) Stat() (fs.FileInfo, error) {
	data := make([]byte, f.chunks*len(chunk)-f.grown)
	return fstest.MapFS{"sales": {Data: data}}.Stat("sales")
}

// A replacedFS is a file system whose file is replaced between Stat and Open.
type replacedFS struct{ before, after fs.FS }

func (r replacedFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.before, name) }
func (r replacedFS) Open(name string) (fs.File, error)     { return r.after.Open(name) }
