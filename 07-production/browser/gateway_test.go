package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestGateway_RefusesOtherHosts(t *testing.T) {
	for _, tt := range []struct {
		hosts []string
		host  string
		want  int
	}{
		{nil, "localhost:8080", http.StatusOK},
		{nil, "LOCALHOST", http.StatusOK},
		{nil, "127.0.0.1:8080", http.StatusOK},
		{nil, "[::1]:8080", http.StatusOK},
		{nil, "[::1]", http.StatusOK},
		{nil, "evil.example:8080", http.StatusMisdirectedRequest},
		{nil, "localhost.evil.example", http.StatusMisdirectedRequest},
		{nil, "", http.StatusMisdirectedRequest},
		{[]string{"logs.example"}, "logs.example", http.StatusOK},
		{[]string{"logs.example"}, "localhost", http.StatusMisdirectedRequest},
		{[]string{"Logs.example"}, "Logs.example", http.StatusMisdirectedRequest},
	} {
		gateway := NewGateway(nil)
		gateway.Hosts = tt.hosts
		w := httptest.NewRecorder()
		gateway.ServeHTTP(w, &http.Request{Method: http.MethodGet, Host: tt.host, URL: &url.URL{Path: "/"}})
		require.Equal(t, tt.want, w.Code, "%q", tt.host)
	}
}

func TestEvents_RefusePagesOfOtherOrigins(t *testing.T) {
	for _, tt := range []struct {
		header http.Header
		want   int
	}{
		{http.Header{}, http.StatusBadRequest}, // past the check: the position is wrong
		{http.Header{"Origin": {"http://localhost:8080"}}, http.StatusBadRequest},
		{http.Header{"Origin": {"https://localhost:8080"}}, http.StatusBadRequest},
		{http.Header{"Origin": {"http://localhost:9090"}}, http.StatusForbidden},
		{http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		{http.Header{"Origin": {"null"}}, http.StatusForbidden},
		{http.Header{"Sec-Fetch-Site": {"none"}}, http.StatusBadRequest},
		{http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusBadRequest},
		{http.Header{"Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden},
		{http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
	} {
		w := httptest.NewRecorder()
		NewGateway(nil).ServeHTTP(w, &http.Request{
			Method: http.MethodGet, Host: "localhost:8080", URL: &url.URL{Path: "/events", RawQuery: "after=wrong"}, Header: tt.header,
		})
		require.Equal(t, tt.want, w.Code, "%v", tt.header)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	}
}

func TestGateway_ServesNothingElse(t *testing.T) {
	for path, want := range map[string]int{
		"/":           http.StatusOK,
		"/page.js":    http.StatusOK,
		"/page.html":  http.StatusNotFound,
		"/gateway.go": http.StatusNotFound,
		"/events/x":   http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		NewGateway(nil).ServeHTTP(w, &http.Request{Method: http.MethodGet, Host: "localhost", URL: &url.URL{Path: path}})
		require.Equal(t, want, w.Code, path)
	}
}

// A HEAD request has no body, so its client sends the next request at once.
func TestEvents_HeadEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, NewServer(newGateway(t, &logs.LogServer{Log: newLog("first")})), false)
		resp, err := client.Head("http://localhost/events")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		start := time.Now()
		resp, err = client.Get("http://localhost/")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Zero(t, time.Since(start))
	})
}

func TestOnePort_ServesGRPCAndEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &logs.LogServer{Log: newLog("first")}
		s := grpc.NewServer()
		register(service)(s)
		defer s.Stop()
		server := memservertest.ServeHTTP(t, NewServer(OnePort(s, newGateway(t, service))))
		stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		e, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, "first", e.GetMessage())

		client := newSource(t, OnePort(s, newGateway(t, service)), "")
		client.connect(t.Context())
		event, ok := client.next()
		require.True(t, ok)
		require.Contains(t, event.Data, "first")
	})
}

func TestOnePort_ChoosesByVersionAndContentType(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, name) })
	}
	for _, tt := range []struct {
		major       int
		contentType string
		want        string
	}{
		{2, "application/grpc", "grpc"},
		{2, "application/grpc+proto", "grpc"},
		{1, "application/grpc", "web"},
		{2, "text/plain", "web"},
		{2, "", "web"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.ProtoMajor = tt.major
		r.Header.Set("Content-Type", tt.contentType)
		got := httptest.NewRecorder()
		OnePort(named("grpc"), named("web")).ServeHTTP(got, r)
		require.Equal(t, tt.want, got.Body.String(), "HTTP/%d, %q", tt.major, tt.contentType)
	}
}
