package serverstream

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

// requireFrames makes a call and compares the frames that pass with the
// file testdata/name. The length of HEADERS changes with grpc-go's version.
func requireFrames(t *testing.T, name string, register func(grpc.ServiceRegistrar), call func(*testing.T, *grpc.ClientConn)) {
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		server := bufnet.Serve(t, register)
		call(t, server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext))))
		synctest.Wait()
		if *update {
			require.NoError(t, os.WriteFile("testdata/"+name, frames.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		require.Equal(t, string(want), frames.String())
	})
}

func TestOnTheWireAFollowedLogIsHeadersThenDataThenAReset(t *testing.T) {
	requireFrames(t, "follow.txt", func(s grpc.ServiceRegistrar) {
		log := NewLog(10)
		time.AfterFunc(time.Second, func() { log.Append("one", false) })
		time.AfterFunc(2*time.Second, func() { log.Append("two", false) })
		logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	}, func(t *testing.T, conn *grpc.ClientConn) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel)
		_, err := sequences(ctx, logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{Follow: true}, 0)
		require.Equal(t, codes.Canceled, status.Code(err))
	})
}

func TestOnTheWireAReportIsHeadersThenDataThenTrailers(t *testing.T) {
	requireFrames(t, "report.txt", func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, &ReportServer{
			FS: oneFile{&slowFile{chunks: 2, delay: 100 * time.Millisecond}},
		})
	}, func(t *testing.T, conn *grpc.ClientConn) {
		_, err := Download(t.Context(), reportv1.NewReportServiceClient(conn), "sales", io.Discard)
		require.NoError(t, err)
	})
}

func TestOnTheWireAnErrorBeforeTheFirstMessageIsTrailersOnly(t *testing.T) {
	requireFrames(t, "refused.txt", func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, &ReportServer{FS: fstest.MapFS{}})
	}, func(t *testing.T, conn *grpc.ClientConn) {
		_, err := Download(t.Context(), reportv1.NewReportServiceClient(conn), "sales", io.Discard)
		require.Equal(t, codes.NotFound, status.Code(err))
	})
}

func TestOnTheWireAFullChunkIsOneFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		server := bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
			data := make([]byte, 3*ChunkSize)
			reportv1.RegisterReportServiceServer(s, &ReportServer{FS: fstest.MapFS{"sales": {Data: data}}})
		})
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		_, err := Download(t.Context(), reportv1.NewReportServiceClient(conn), "sales", io.Discard)
		require.NoError(t, err)
		require.Equal(t, 3, strings.Count(frames.String(), " message=16"), "%s", &frames)
		require.NotContains(t, frames.String(), "/16", "a message in parts")
	})
}
