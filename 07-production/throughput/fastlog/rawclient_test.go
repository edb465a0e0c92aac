//go:build unix

package fastlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A rawConn is an HTTP/2 connection on which streams follow a log. It only
// counts what arrives: a benchmark with 1,000 of them measures the server,
// because they cost little.
type rawConn struct {
	conn    net.Conn
	r       *bufio.Reader
	partial map[uint32][]byte // by stream: the beginning of a message
}

// newRawConn opens streams that call the method.
func newRawConn(b *testing.B, addr, method string, streams int) *rawConn {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })

	var request bytes.Buffer
	request.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&request, nil)
	require.NoError(b, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1}))
	require.NoError(b, framer.WriteWindowUpdate(0, 1<<31-1-65535))
	message, err := proto.Marshal(&logsv1.LogRequest{Follow: true})
	require.NoError(b, err)
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for i := range streams {
		headers.Reset()
		for _, h := range [][2]string{
			{":method", "POST"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", method},
			{"content-type", "application/grpc"}, {"te", "trailers"},
		} {
			require.NoError(b, encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
		}
		id := uint32(2*i + 1)
		require.NoError(b, framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: id, EndHeaders: true, BlockFragment: headers.Bytes(),
		}))
		require.NoError(b, framer.WriteData(id, true, append([]byte{0, 0, 0, 0, byte(len(message))}, message...)))
	}
	_, err = conn.Write(request.Bytes())
	require.NoError(b, err)
	return &rawConn{conn, bufio.NewReaderSize(conn, 64<<10), map[uint32][]byte{}}
}

// next returns the stream and the messages of the next DATA frame. They are
// valid until the next call.
func (c *rawConn) next() (stream uint32, messages [][]byte, err error) {
	for {
		header, err := c.r.Peek(9)
		if err != nil {
			return 0, nil, err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind, id := http2.FrameType(header[3]), binary.BigEndian.Uint32(header[5:])
		frame, err := c.r.Peek(9 + length)
		if err != nil {
			return 0, nil, err
		}
		if _, err := c.r.Discard(len(frame)); err != nil {
			return 0, nil, err
		}
		if kind == http2.FrameData {
			return id, c.split(id, frame[9:]), nil
		}
	}
}

// split returns the messages that data completes.
func (c *rawConn) split(stream uint32, data []byte) (messages [][]byte) {
	if begun := c.partial[stream]; len(begun) > 0 {
		data = append(begun, data...)
	}
	for len(data) >= 5 && len(data) >= 5+int(binary.BigEndian.Uint32(data[1:])) {
		end := 5 + int(binary.BigEndian.Uint32(data[1:]))
		messages, data = append(messages, data[5:end]), data[end:]
	}
	c.partial[stream] = append([]byte(nil), data...)
	return messages
}
