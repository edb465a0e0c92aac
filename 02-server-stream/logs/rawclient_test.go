//go:build unix

package logs

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

// A rawClient follows the log over an HTTP/2 connection of its own, and does
// not decode the messages that arrive. A benchmark with 1,000 raw clients
// measures mostly the server, because the clients cost little.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

// newRawClient returns a client that lets the server send window bytes.
func newRawClient(b *testing.B, addr string, window uint32) *rawClient {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })

	var request bytes.Buffer
	request.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&request, nil)
	require.NoError(b, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}))
	require.NoError(b, framer.WriteWindowUpdate(0, 1<<31-1-65535))
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "localhost"},
		{":path", logsv1.LogService_StreamLogs_FullMethodName},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		require.NoError(b, encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
	}
	require.NoError(b, framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true, BlockFragment: headers.Bytes(),
	}))
	message, err := proto.Marshal(&logsv1.LogRequest{Follow: true})
	require.NoError(b, err)
	prefix := []byte{0, 0, 0, 0, byte(len(message))}
	require.NoError(b, framer.WriteData(1, true, append(prefix, message...)))
	_, err = conn.Write(request.Bytes())
	require.NoError(b, err)
	return &rawClient{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// next returns the next DATA frame, which is valid until the next call. The
// server sends a small message in one frame.
func (c *rawClient) next() ([]byte, error) {
	for {
		header, err := c.r.Peek(9)
		if err != nil {
			return nil, err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind := http2.FrameType(header[3])
		frame, err := c.r.Peek(9 + length)
		if err != nil {
			return nil, err
		}
		if _, err := c.r.Discard(len(frame)); err != nil {
			return nil, err
		}
		if kind == http2.FrameData {
			return frame[9:], nil
		}
	}
}
