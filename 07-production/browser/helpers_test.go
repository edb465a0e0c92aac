package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

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
	host   string // if not that of url

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
	req.Host = s.host
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
		line, err := s.line()
		if err != nil {
			return event{}, false
		}
		name, value, _ := strings.Cut(line, ":")
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

// line returns the next line. A carriage return ends a line, too.
func (s *source) line() (string, error) {
	var line []byte
	for {
		b, err := s.body.ReadByte()
		if err != nil || b == '\n' || b == '\r' {
			return string(line), err
		}
		line = append(line, b)
	}
}

// A chromium is a browser without a window, with one tab. The test speaks the
// DevTools protocol with it, JSON over two pipes.
type chromium struct {
	t       *testing.T
	to      *os.File
	from    *os.File
	read    *bufio.Reader
	calls   int
	session string // of the tab
}

// findChromium returns the executable: what the environment variable CHROMIUM
// names, or else the first in PATH. If there is none, it skips the test.
func findChromium(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Chromium gets no pipes from Go on Windows: run this test on Linux, such as in WSL")
	}
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if runtime.GOOS == "darwin" {
		t.Skip("no Chromium in PATH: install Chrome or Chromium, and set CHROMIUM, such as " +
			`CHROMIUM="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"`)
	}
	t.Skip("no Chromium in PATH: install it, on Debian with apt-get install chromium, or set CHROMIUM to its path")
	return ""
}

// startChromium starts the browser, which ends with the test. If there is
// none, it skips the test.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	executable := findChromium(t)
	toRead, to, err := os.Pipe()
	require.NoError(t, err)
	from, fromWrite, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(executable, "--headless", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(),
		"--no-sandbox", // which root cannot have, nor most containers
		"--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, fromWrite} // 3 and 4 in the browser
	var stderr bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &stderr, time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = to.Close() // which ends the browser
		defer time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
		_ = cmd.Wait() // the status is not of interest
		_ = from.Close()
		if t.Failed() {
			t.Logf("%s printed:\n%.500s", executable, stderr.String())
		}
	})
	require.NoError(t, errors.Join(toRead.Close(), fromWrite.Close())) // the browser has its own
	c := &chromium{t: t, to: to, from: from, read: bufio.NewReader(from)}
	target := c.call("Target.createTarget", map[string]any{"url": "about:blank"})
	c.session = c.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})["sessionId"].(string)
	return c
}

// call calls a method of the DevTools protocol and returns its result.
func (c *chromium) call(method string, params map[string]any) map[string]any {
	c.t.Helper()
	c.calls++
	request := map[string]any{"id": c.calls, "method": method, "params": params}
	if c.session != "" {
		request["sessionId"] = c.session
	}
	text, err := json.Marshal(request)
	require.NoError(c.t, err)
	_, err = c.to.Write(append(text, 0))
	require.NoError(c.t, err)
	require.NoError(c.t, c.from.SetReadDeadline(time.Now().Add(2*time.Minute)))
	for {
		text, err := c.read.ReadBytes(0)
		require.NoError(c.t, err, "%s: no answer; the browser has ended, or two minutes are over", method)
		var reply struct {
			ID     int
			Result map[string]any
			Error  any
		}
		require.NoError(c.t, json.Unmarshal(text[:len(text)-1], &reply))
		if reply.ID == c.calls { // otherwise it is an event of the browser
			require.Nil(c.t, reply.Error, method)
			return reply.Result
		}
	}
}

// open opens a page, and waits until its scripts have run.
func (c *chromium) open(url string) {
	c.t.Helper()
	require.NotContains(c.t, c.call("Page.navigate", map[string]any{"url": url}), "errorText")
	c.await(`document.readyState == "complete"`)
}

// await waits until a JavaScript expression is true in the page, and returns
// its value.
func (c *chromium) await(expression string) any {
	c.t.Helper()
	result := c.call("Runtime.evaluate", map[string]any{
		"expression": `new Promise((done, failed) => {
			const timer = setInterval(() => {
				try {
					const value = (` + expression + `);
					if (value) { clearInterval(timer); done(value); }
				} catch (error) { failed(error); }
			}, 20);
		})`,
		"awaitPromise": true, "returnByValue": true,
	})
	require.NotContains(c.t, result, "exceptionDetails", expression)
	return result["result"].(map[string]any)["value"]
}

// lines are the lines that the page shows.
const lines = `[...document.querySelectorAll("#log li")].map((line) => line.textContent)`

// serveLog serves over TCP and returns a client and the address.
func serveLog(t *testing.T, service logsv1.LogServiceServer) (logsv1.LogServiceClient, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	logsv1.RegisterLogServiceServer(s, service)
	go func() { _ = s.Serve(listener) }() // until Stop
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return logsv1.NewLogServiceClient(conn), listener.Addr().String()
}

func startServer(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}
