package clientstream

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestOnTheWireAnUploadIsDataThenAHalfClose(t *testing.T) {
	requireFrames(t, "upload.txt", func(t *testing.T, s *UploadServer, c uploadv1.UploadServiceClient) {
		_, err := uploadSlowly(t, c, "hello, world\n")
		require.NoError(t, err)
	})
}

func TestOnTheWireARefusalIsTrailersAndAReset(t *testing.T) {
	requireFrames(t, "refused.txt", func(t *testing.T, s *UploadServer, c uploadv1.UploadServiceClient) {
		write(t, s, "hello.txt", "old")
		_, err := uploadSlowly(t, c, "hello, world\n")
		require.Equal(t, codes.AlreadyExists, status.Code(err), "got %v", err)
	})
}

// uploadSlowly sends text as "hello.txt" in chunks of 5 bytes. It takes a
// second to read each.
func uploadSlowly(t *testing.T, c uploadv1.UploadServiceClient, text string) (*uploadv1.UploadReceipt, error) {
	t.Helper()
	r := paced{strings.NewReader(text), func() { time.Sleep(time.Second) }}
	return send(open(t, t.Context(), c), requests(named("hello.txt"), r, 5), func(int64) {})
}

// requireFrames makes a call and compares the frames that pass with the
// file testdata/name. The length of HEADERS changes with grpc-go's version.
func requireFrames(t *testing.T, name string, call func(*testing.T, *UploadServer, uploadv1.UploadServiceClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		s := newServer(t)
		server := bufnet.Serve(t, register(s))
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		call(t, s, uploadv1.NewUploadServiceClient(conn))
		synctest.Wait()
		if *update {
			require.NoError(t, os.WriteFile("testdata/"+name, frames.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		require.Equal(t, string(want), frames.String())
	})
}
