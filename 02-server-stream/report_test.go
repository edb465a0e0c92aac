package serverstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/bufnet"
)

func dialReports(t *testing.T, srv reportv1.ReportServiceServer) reportv1.ReportServiceClient {
	return reportv1.NewReportServiceClient(bufnet.Dial(t, func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, srv)
	}))
}

func TestAReportOfAnySizeArrivesWhole(t *testing.T) {
	for name, size := range map[string]int{
		"nothing": 0, "a byte": 1, "a chunk": ChunkSize, "a chunk and a byte": ChunkSize + 1, "many chunks": 1<<20 - 1,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
				client := dialReports(t, &ReportServer{FS: fstest.MapFS{"sales": {Data: want}}})
				var got bytes.Buffer
				n, err := Download(t.Context(), client, "sales", &got)
				require.NoError(t, err)
				require.EqualValues(t, size, n)
				require.True(t, bytes.Equal(want, got.Bytes()))
			})
		})
	}
}

// A unary answer would come when the whole report exists: at one second.
func TestTheFirstChunkArrivesBeforeTheLastOneExists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowFile{chunks: 10, delay: 100 * time.Millisecond}
		client := dialReports(t, &ReportServer{FS: oneFile{source}})
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
	})
}

func TestAnErrorInTheMiddleArrivesAfterTheChunksBeforeIt(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code codes.Code
	}{
		"a status keeps its code":   {status.Error(codes.Unavailable, "the printer is on fire"), codes.Unavailable},
		"any other error: Internal": {errors.New("the printer is on fire"), codes.Internal},
		"a known error: its code":   {fs.ErrPermission, codes.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dialReports(t, &ReportServer{FS: oneFile{&slowFile{chunks: 3, err: tt.err}}})
				var got bytes.Buffer
				n, err := Download(t.Context(), client, "sales", &got)
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.Equal(t, status.Convert(tt.err).Message(), status.Convert(err).Message())
				require.EqualValues(t, 3*len("chunk\n"), n)
				require.Equal(t, "chunk\nchunk\nchunk\n", got.String())
			})
		})
	}
}

func TestAnIDThatIsNotAPlainNameIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600))
	reports := filepath.Join(dir, "reports")
	require.NoError(t, os.MkdirAll(filepath.Join(reports, "folder"), 0o700))
	require.NoError(t, os.Symlink("../secret", filepath.Join(reports, "link")))
	root, err := os.OpenRoot(reports)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })

	for id, code := range map[string]codes.Code{
		"":              codes.InvalidArgument,
		".":             codes.InvalidArgument,
		"..":            codes.InvalidArgument,
		"../secret":     codes.InvalidArgument,
		"../etc/passwd": codes.InvalidArgument,
		"/etc/passwd":   codes.InvalidArgument,
		"folder/../x":   codes.InvalidArgument,
		`..\secret`:     codes.InvalidArgument,
		"folder":        codes.InvalidArgument,
		"none":          codes.NotFound,
		"a\x00b":        codes.InvalidArgument,
		"link":          codes.Internal, // it leads out of the root: the server is at fault
	} {
		t.Run("id "+id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dialReports(t, &ReportServer{FS: root.FS()})
				n, err := Download(t.Context(), client, id, io.Discard)
				require.Equal(t, code, status.Code(err), "got %v", err)
				require.Zero(t, n)
			})
		})
	}
}

func TestTheClientNoticesAReportThatIsNotWhole(t *testing.T) {
	sum := "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of "foo"
	for name, tt := range map[string]struct {
		chunks  []string // chunk i has number i, unless order says otherwise
		order   []int32
		trailer metadata.MD
		says    string // empty: all is well
	}{
		"whole":         {[]string{"fo", "o"}, nil, metadata.Pairs(SizeKey, "3", SHA256Key, sum), ""},
		"no trailer":    {[]string{"fo", "o"}, nil, nil, "report-size: missing in the trailer"},
		"no checksum":   {[]string{"fo", "o"}, nil, metadata.Pairs(SizeKey, "3"), "report-sha256: missing in the trailer"},
		"ends short":    {[]string{"fo"}, nil, metadata.Pairs(SizeKey, "3", SHA256Key, sum), "report-size: got 2, want 3"},
		"corrupted":     {[]string{"fo", "x"}, nil, metadata.Pairs(SizeKey, "3", SHA256Key, sum), "report-sha256: got"},
		"out of order":  {[]string{"o", "fo"}, []int32{1, 0}, metadata.Pairs(SizeKey, "3", SHA256Key, sum), "chunk_number: got 1, want 0"},
		"a gap":         {[]string{"fo", "o"}, []int32{0, 2}, metadata.Pairs(SizeKey, "3", SHA256Key, sum), "chunk_number: got 2, want 1"},
		"a chunk twice": {[]string{"fo", "fo"}, []int32{0, 0}, metadata.Pairs(SizeKey, "3", SHA256Key, sum), "chunk_number: got 0, want 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dialReports(t, reportFunc{handle: func(stream grpc.ServerStreamingServer[reportv1.ReportChunk]) error {
					stream.SetTrailer(tt.trailer)
					for i, data := range tt.chunks {
						number := int32(i)
						if tt.order != nil {
							number = tt.order[i]
						}
						if err := stream.Send(&reportv1.ReportChunk{Data: []byte(data), ChunkNumber: number}); err != nil {
							return err
						}
					}
					return nil
				}})
				_, err := Download(t.Context(), client, "sales", io.Discard)
				if tt.says == "" {
					require.NoError(t, err)
					return
				}
				require.Equal(t, codes.DataLoss, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, tt.says)
			})
		})
	}
}

func TestAFailingWriterEndsTheHandlerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := make(chan error, 1)
		client := dialReports(t, reportFunc{handle: func(stream grpc.ServerStreamingServer[reportv1.ReportChunk]) error {
			err := stream.Send(&reportv1.ReportChunk{Data: []byte("foo")})
			<-stream.Context().Done()
			handler <- context.Cause(stream.Context())
			return err
		}})
		full := errors.New("the disk is full")
		start := time.Now()
		_, err := Download(t.Context(), client, "sales", writerFunc(func([]byte) (int, error) { return 0, full }))
		require.ErrorIs(t, err, full)
		require.ErrorIs(t, <-handler, context.Canceled)
		require.Zero(t, time.Since(start))
	})
}

// A reportFunc is a ReportService whose handler is handle.
type reportFunc struct {
	reportv1.UnimplementedReportServiceServer
	handle func(grpc.ServerStreamingServer[reportv1.ReportChunk]) error
}

func (f reportFunc) GenerateReport(_ *reportv1.ReportRequest, s grpc.ServerStreamingServer[reportv1.ReportChunk]) error {
	return f.handle(s)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A slowFile yields its chunks, one per read and delay, and then err, or
// io.EOF.
type slowFile struct {
	fs.File
	chunks int
	delay  time.Duration
	err    error
}

func (f *slowFile) Read(p []byte) (int, error) {
	if f.chunks == 0 {
		if f.err != nil {
			return 0, f.err
		}
		return 0, io.EOF
	}
	time.Sleep(f.delay)
	f.chunks--
	return copy(p, "chunk\n"), nil
}

func (f *slowFile) Close() error { return nil }

func (f *slowFile) Stat() (fs.FileInfo, error) {
	return fstest.MapFS{"sales": {}}.Stat("sales")
}

// oneFile is a file system in which every name is the same file.
type oneFile struct{ fs.File }

func (f oneFile) Open(string) (fs.File, error) { return f.File, nil }
