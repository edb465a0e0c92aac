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

// dial serves srv in memory and returns a client of it.
func dial(t *testing.T, srv reportv1.ReportServiceServer) reportv1.ReportServiceClient {
	t.Helper()
	return reportv1.NewReportServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, srv)
	}))
}

// A stub is a ReportService with the handler OnGenerateReport.
type stub struct {
	reportv1.UnimplementedReportServiceServer
	OnGenerateReport func(grpc.ServerStreamingServer[reportv1.ReportChunk]) error
}

func (s stub) GenerateReport(_ *reportv1.ReportRequest, stream grpc.ServerStreamingServer[reportv1.ReportChunk]) error {
	return s.OnGenerateReport(stream)
}

// A writerFunc is an [io.Writer] that calls itself.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A slowFile is a file, and a file system in which every name is that file.
// Each Read takes the time delay and returns one chunk. After the last chunk,
// Read returns err, or io.EOF if err is nil.
type slowFile struct {
	fs.File
	chunks int
	delay  time.Duration
	err    error
	closed bool
}

func (f *slowFile) Open(string) (fs.File, error) { return f, nil }

func (f *slowFile) Read(p []byte) (int, error) {
	switch {
	case f.chunks == 0 && f.err != nil:
		return 0, f.err
	case f.chunks == 0:
		return 0, io.EOF
	}
	time.Sleep(f.delay)
	f.chunks--
	return copy(p, "chunk\n"), nil
}

func (f *slowFile) Close() error {
	f.closed = true
	return nil
}

func (f *slowFile) Stat() (fs.FileInfo, error) {
	return fstest.MapFS{"sales": {}}.Stat("sales")
}
