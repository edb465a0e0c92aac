package logs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// dial serves the log in memory and returns a client of it.
func dial(t *testing.T, log *Log) logsv1.LogServiceClient {
	t.Helper()
	return dialServer(t, &LogServer{Log: log})
}

// dialServer serves srv in memory and returns a client of it.
func dialServer(t *testing.T, srv logsv1.LogServiceServer) logsv1.LogServiceClient {
	t.Helper()
	return logsv1.NewLogServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, srv)
	}))
}

// startServer serves the log as cmd/server does, until a signal. The drain
// may take 5 s.
func startServer(t *testing.T, log *Log) (*servetest.Server, logsv1.LogServiceClient) {
	t.Helper()
	s := serve.New()
	s.Drain, s.OnDrain = 5*time.Second, log.Drain
	logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	server := servetest.Start(t, s)
	return server, logsv1.NewLogServiceClient(server.Dial(t))
}

// A stub is a LogService with the handler OnStreamLogs.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	OnStreamLogs func(*logsv1.LogRequest, grpc.ServerStreamingServer[logsv1.LogEntry]) error
}

func (s stub) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return s.OnStreamLogs(req, stream)
}

// A handlerEnd says when a handler returned, and its error.
type handlerEnd struct {
	at  time.Time
	err error
}

// dialEnds is dial with a channel that receives the end of each handler.
func dialEnds(t *testing.T, log *Log) (logsv1.LogServiceClient, <-chan handlerEnd) {
	t.Helper()
	ends := make(chan handlerEnd, 1)
	srv := &LogServer{Log: log}
	return dialServer(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
		err := srv.StreamLogs(req, stream)
		ends <- handlerEnd{time.Now(), err}
		return err
	}}), ends
}

// appendLines appends n entries, "line 1" and so on, after those that the
// log holds.
func appendLines(log *Log, n int) {
	for range n {
		log.Append(fmt.Sprintf("line %d", log.newest+1), false)
	}
}

// sequences returns the sequences of the entries that Tail yields, and its
// error. It waits for the time delay after each entry.
func sequences(ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, delay time.Duration) ([]uint64, error) {
	var got []uint64
	for e, err := range Tail(ctx, c, req) {
		if err != nil {
			return got, err
		}
		got = append(got, e.GetSequence())
		time.Sleep(delay)
	}
	return got, nil
}

// between returns the sequences from one to another, both included.
func between(from, to uint64) []uint64 {
	var s []uint64
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}

// printed returns what a client that prints the log shows.
func printed(t *testing.T, log *Log) string {
	t.Helper()
	var text strings.Builder
	for e, err := range Tail(t.Context(), dial(t, log), &logsv1.LogRequest{}) {
		require.NoError(t, err)
		text.WriteString(e.GetMessage())
		if !e.GetPartial() {
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// A rawClient follows the log over an HTTP/2 connection of its own, and only
// counts the messages that arrive. A benchmark with 1,000 raw clients
// measures the server, because the clients cost little.
type rawClient struct{ r *bufio.Reader }

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
	return &rawClient{bufio.NewReaderSize(conn, 64<<10)}
}

// next returns when the next DATA frame has arrived. The server sends a
// small message in one frame.
func (c *rawClient) next() error {
	for {
		header, err := c.r.Peek(9)
		if err != nil {
			return err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind := http2.FrameType(header[3])
		if _, err := c.r.Discard(9 + length); err != nil {
			return err
		}
		if kind == http2.FrameData {
			return nil
		}
	}
}
