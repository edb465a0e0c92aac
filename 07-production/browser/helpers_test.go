package browser

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// register returns the function that adds the service to a server.
func register(service logsv1.LogServiceServer) func(grpc.ServiceRegistrar) {
	return func(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, service) }
}

// newLog returns a log with these entries.
func newLog(messages ...string) *logs.Log {
	log := logs.NewLog(10)
	for _, message := range messages {
		log.Append(message, false)
	}
	return log
}

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// A stub is a LogService whose handler is OnStreamLogs.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	OnStreamLogs func(*logsv1.LogRequest, serverStream) error
}

func (s stub) StreamLogs(req *logsv1.LogRequest, stream serverStream) error {
	return s.OnStreamLogs(req, stream)
}

// newGateway returns a gateway to the service, both in memory.
func newGateway(t *testing.T, service logsv1.LogServiceServer) *Gateway {
	t.Helper()
	g := NewGateway(logsv1.NewLogServiceClient(memservertest.Dial(t, register(service))))
	t.Cleanup(g.Drain)
	return g
}

// newClient serves with s in memory, and returns a client for HTTP/1.1, or for
// HTTP/2 without TLS.
func newClient(t *testing.T, s *http.Server, http2 bool) *http.Client {
	t.Helper()
	server := memservertest.ServeHTTP(t, s)
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return server.DialContext(ctx, addr)
		},
	}
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetUnencryptedHTTP2(http2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// An event is what a page hears of.
type event struct{ Type, ID, Data string }

// A source reads events as an EventSource does that has the URL.
type source struct {
	t      *testing.T
	client *http.Client
	url    string

	lastID string // the Last-Event-ID of the next request
	retry  time.Duration
	body   *bufio.Reader // of the response that is open
}

func newSource(t *testing.T, handler http.Handler, query string) *source {
	t.Helper()
	return &source{t: t, client: newClient(t, NewServer(handler), false), url: "http://localhost/events" + query}
}

// connect opens a response, which ends with ctx.
func (s *source) connect(ctx context.Context) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	require.NoError(s.t, err)
	if s.lastID != "" {
		req.Header.Set("Last-Event-ID", s.lastID)
	}
	resp, err := s.client.Do(req)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	require.Equal(s.t, "text/event-stream", resp.Header.Get("Content-Type"))
	s.body = bufio.NewReader(resp.Body)
}

// next returns the next event, or false at the end of the response. An event
// that the response does not complete is dropped.
func (s *source) next() (event, bool) {
	e, hasData, id := event{Type: "message"}, false, s.lastID
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			return event{}, false
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			id = value
		case "event":
			e.Type = value
		case "data":
			e.Data, hasData = value, true // the gateway sends one line
		case "retry":
			milliseconds, err := strconv.Atoi(value)
			require.NoError(s.t, err)
			s.retry = time.Duration(milliseconds) * time.Millisecond
		case "":
			s.lastID, e.ID = id, id
			if hasData {
				return e, true
			}
		}
	}
}
