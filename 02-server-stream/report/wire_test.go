package report

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

// download serves srv in memory and downloads the report sales through the
// tap.
func download(t *testing.T, tap *wire.Tap, srv *ReportServer) error {
	t.Helper()
	server := memservertest.Serve(t, register(srv))
	conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
	_, err := Download(t.Context(), reportv1.NewReportServiceClient(conn), "sales", io.Discard)
	return err
}

func TestWire_ReportEndsWithTrailers(t *testing.T) {
	wiretest.Frames(t, "testdata/report.txt", func(t *testing.T, tap *wire.Tap) {
		source := &slowFile{chunks: 2, delay: 100 * time.Millisecond}
		require.NoError(t, download(t, tap, &ReportServer{FS: source}))
	})
}

func TestWire_ErrorBeforeAMessageIsTrailersOnly(t *testing.T) {
	wiretest.Frames(t, "testdata/refused.txt", func(t *testing.T, tap *wire.Tap) {
		err := download(t, tap, &ReportServer{FS: fstest.MapFS{}})
		require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
	})
}

func TestWire_FullChunkIsOneFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		data := make([]byte, 3*ChunkSize)
		require.NoError(t, download(t, tap, &ReportServer{FS: fstest.MapFS{"sales": {Data: data}}}))
		require.Regexp(t, `S->C DATA +stream=1 +len=\d+ +message=16\d{3}B\n`, frames.String())
		messages := regexp.MustCompile(`S->C DATA .* message=\S+`).FindAllString(frames.String(), -1)
		require.Len(t, messages, 3, "%s", frames.String())
	})
}
