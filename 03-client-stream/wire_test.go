package clientstream

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

func TestWire_UploadIsDataThenHalfClose(t *testing.T) {
	wiretest.Frames(t, "testdata/upload.txt", func(t *testing.T, tap *wire.Tap) {
		require.NoError(t, uploadSlowly(t, newServer(t), tap))
	})
}

func TestWire_RefusalIsTrailersAndReset(t *testing.T) {
	wiretest.Frames(t, "testdata/refused.txt", func(t *testing.T, tap *wire.Tap) {
		s := newServer(t)
		write(t, s, "hello.txt", "old")
		err := uploadSlowly(t, s, tap)
		requireCode(t, codes.AlreadyExists, err)
	})
}

func TestWire_RefusalAfterHalfCloseNeedsNoReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		tap := wire.New(&frames)
		server := memservertest.Serve(t, register(newServer(t)))
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		stream := open(t, t.Context(), uploadv1.NewUploadServiceClient(conn), sized(5), chunk("four"))
		_, err := stream.CloseAndRecv()
		requireCode(t, codes.InvalidArgument, err)
		synctest.Wait()
		require.Contains(t, frames.String(), "grpc-status=3")
		require.NotContains(t, frames.String(), "RST_STREAM")
	})
}

// Task 1 of the lesson lets UploadServer do what this handler does.
func TestWire_SendHeaderSendsHeadersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		require.NoError(t, uploadSlowly(t, stub{OnUpload: func(stream serverStream) error {
			if err := stream.SendHeader(nil); err != nil {
				return err
			}
			return sizeServer{}.Upload(stream)
		}}, wire.New(&frames)))
		synctest.Wait()
		require.Contains(t, frames.String(), "0s S->C HEADERS       stream=1   len=14    :status=200\n")
	})
}

// uploadSlowly sends a file of 13 bytes in chunks of 5. Each Read of the
// file takes a second.
func uploadSlowly(t *testing.T, s uploadv1.UploadServiceServer, tap *wire.Tap) error {
	t.Helper()
	server := memservertest.Serve(t, register(s))
	conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
	stream := open(t, t.Context(), uploadv1.NewUploadServiceClient(conn))
	r := paced{strings.NewReader("hello, world\n"), func() { time.Sleep(time.Second) }}
	_, err := send(stream, requests(named("hello.txt"), r, 5), func(int64) {})
	return err
}
