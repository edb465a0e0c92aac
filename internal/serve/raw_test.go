package serve_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"example.com/streams/internal/serve/servetest"
)

// A rawClient speaks HTTP/2 without the manners of grpc-go's client.
type rawClient struct {
	t *testing.T
	*http2.Framer
	block  bytes.Buffer
	hpack  *hpack.Encoder
	ended  []http2.ErrCode // RST_STREAM of each refused stream
	goAway []string        // debug data of each GOAWAY
	pong   chan struct{}   // a value after an answer to a PING
}

// dialRaw connects to the server. The connection is closed when the test
// ends.
func dialRaw(t *testing.T, s *servetest.Server) *rawClient {
	conn, err := s.DialContext(t.Context(), "")
	require.NoError(t, err)
	return newRawClient(t, conn)
}

func newRawClient(t *testing.T, conn net.Conn) *rawClient {
	t.Cleanup(func() { _ = conn.Close() })
	_, err := conn.Write([]byte(http2.ClientPreface))
	require.NoError(t, err)
	c := &rawClient{t: t, Framer: http2.NewFramer(conn, conn), pong: make(chan struct{}, 1)}
	c.hpack = hpack.NewEncoder(&c.block)
	require.NoError(t, c.WriteSettings())
	go c.read()
	return c
}

func (c *rawClient) read() {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return // the connection is closed
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame:
			c.ended = append(c.ended, f.ErrCode)
		case *http2.GoAwayFrame:
			c.goAway = append(c.goAway, string(f.DebugData()))
		case *http2.PingFrame:
			if f.IsAck() {
				select {
				case c.pong <- struct{}{}:
				default: // nobody waits
				}
			}
		}
	}
}

// open opens a stream of a method with n fields x-bin of 3,000 bytes.
func (c *rawClient) open(stream uint32, method string, n int) {
	c.t.Helper()
	c.block.Reset()
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"},
		{Name: ":path", Value: method}, {Name: ":authority", Value: "x"},
		{Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"},
	}
	for range n {
		fields = append(fields, hpack.HeaderField{Name: "x-bin", Value: string(bytes.Repeat([]byte("A"), 3000))})
	}
	for _, f := range fields {
		require.NoError(c.t, c.hpack.WriteField(f))
	}
	require.NoError(c.t, c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true,
	}))
}
