package serverstream

import (
	"bufio"
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A thinFollower follows the log over a connection of its own and does no
// more than count what arrives, so that a benchmark of 1,000 followers
// measures the server and not its clients.
type thinFollower struct{ r *bufio.Reader }

// newThinFollower returns a follower that lets the server send window bytes.
func newThinFollower(b *testing.B, addr string, window uint32) *thinFollower {
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })

	var request bytes.Buffer
	request.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&request, nil)
	require.NoError(b, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}))
	require.NoError(b, framer.WriteWindowUpdate(0, 1<<31-1-65535))
	require.NoError(b, framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true, BlockFragment: requestHeaders(),
	}))
	message, err := proto.Marshal(&logsv1.LogRequest{Follow: true})
	require.NoError(b, err)
	prefix := []byte{0, 0, 0, 0, byte(len(message))}
	require.NoError(b, framer.WriteData(1, true, append(prefix, message...)))
	_, err = conn.Write(request.Bytes())
	require.NoError(b, err)
	return &thinFollower{bufio.NewReaderSize(conn, 64<<10)}
}

func requestHeaders() []byte {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "localhost"},
		{":path", logsv1.LogService_StreamLogs_FullMethodName},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		_ = enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return block.Bytes()
}

// next returns when the next DATA frame has arrived. The server sends a
// small message in one frame.
func (f *thinFollower) next() error {
	for {
		header, err := f.r.Peek(9)
		if err != nil {
			return err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind := http2.FrameType(header[3])
		if _, err := f.r.Discard(9 + length); err != nil {
			return err
		}
		if kind == http2.FrameData {
			return nil
		}
	}
}
