package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

func TestBrowser_IsFromTheVariableOrPATH(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no test starts a browser on Windows")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("CHROMIUM", "")
	t.Run("neither", func(t *testing.T) {
		defer func() { assert.True(t, t.Skipped()) }()
		findChromium(t)
	})
	for _, name := range []string{"google-chrome", "chromium"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o700))
		require.Equal(t, path, findChromium(t))
	}
	t.Setenv("CHROMIUM", "/opt/browser")
	require.Equal(t, "/opt/browser", findChromium(t))
}

// The gateway is a process. It is told to stop, is killed, and is told to stop
// twice more.
func TestChromium_EachEntryOnceThroughRestarts(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	gateway := filepath.Join(testproc.Build(t, "./cmd/gateway"), "gateway")
	log := logs.NewLog(1000)
	_, upstream := serveLog(t, &logs.LogServer{Log: log})
	var want []any
	add := func() {
		for range 50 {
			want = append(want, fmt.Sprintf("entry %d", len(want)+1))
			log.Append(want[len(want)-1].(string), false)
		}
	}
	addr := "localhost:0"
	for _, stop := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGTERM} {
		p := testproc.Start(t, gateway, "-addr="+addr, "-upstream="+upstream)
		line := p.Line(p.Stderr)
		_, err := fmt.Sscanf(line, "gateway: listening on %s", &addr)
		require.NoError(t, err, line)
		if len(want) == 0 {
			tab.open("http://" + addr)
		}
		add() // while the browser waits, or has come back
		tab.await(fmt.Sprintf(lines+".length >= %d", len(want)))
		require.Equal(t, want, tab.await(lines))
		p.Signal(stop)
		p.Wait()
		add() // while there is no gateway
		tab.await(`document.querySelector("#state").textContent == "waiting"`)
	}
}

// answers502 makes every request for events fail while it is true.
type answers502 struct {
	atomic.Bool
	next     http.Handler
	answered chan struct{} // a value for each answer
}

func (a *answers502) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Load() && r.URL.Path == "/events" {
		http.Error(w, "<h1>502 Bad Gateway</h1>", http.StatusBadGateway)
		a.answered <- struct{}{}
		return
	}
	a.next.ServeHTTP(w, r)
}

func TestChromium_A502EndsAnEventSourceForGood(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	log := newLog("first")
	client, _ := serveLog(t, &logs.LogServer{Log: log})
	var gateway atomic.Pointer[Gateway]
	gateway.Store(NewGateway(client))
	proxy := &answers502{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gateway.Load().ServeHTTP(w, r)
	}), answered: make(chan struct{}, 100)}
	tab.open(startServer(t, proxy).URL)
	tab.await(`document.querySelectorAll("#log li").length == 1`)
	tab.await(`window.naive = new EventSource("events")`)
	tab.await(`naive.readyState == EventSource.OPEN`)

	proxy.Store(true)
	gateway.Swap(NewGateway(client)).Drain() // as a gateway that restarts
	<-proxy.answered
	<-proxy.answered // to the page's own source, too
	tab.await(`naive.readyState == EventSource.CLOSED`)
	proxy.Store(false)
	log.Append("second", false)
	require.Equal(t, []any{"first", "second"}, tab.await(lines+`.length == 2 && `+lines))
	require.EqualValues(t, 2, tab.await(`naive.readyState`), "still CLOSED")
	gateway.Load().Drain()
}

// A redirect is followed. Everything else but 200 and text/event-stream is the
// end.
func TestChromium_OtherAnswersEndASource(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	mux := http.NewServeMux()
	for _, code := range []int{200, 204, 307, 400, 401, 403, 404, 421, 429, 500, 502, 503, 504} {
		mux.HandleFunc(fmt.Sprintf("/%d", code), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/events")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
		})
	}
	var header atomic.Pointer[http.Header]
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		header.Store(&r.Header)
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush() // fails only if the browser has left
		<-r.Context().Done()
	})
	mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) {})
	tab.open(startServer(t, mux).URL)
	for _, code := range []int{200, 204, 400, 401, 403, 404, 421, 429, 500, 502, 503, 504} {
		tab.await(fmt.Sprintf(`window.source = new EventSource("/%d")`, code))
		tab.await(`source.readyState == EventSource.CLOSED`)
	}
	tab.await(`window.source = new EventSource("/307")`)
	tab.await(`source.readyState == EventSource.OPEN`)
	tab.await(`window.source = new EventSource("/events", {headers: {"X-Token": "secret"}})`)
	tab.await(`source.readyState == EventSource.OPEN`)
	require.Equal(t, "text/event-stream", header.Load().Get("Accept"))
	require.Empty(t, header.Load().Get("X-Token"), "a page cannot set the headers of an EventSource")
	tab.open("about:blank")
}

// A page that makes a new source needs the position of the last bookmark.
func TestChromium_PageHearsOfABookmark(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	client, _ := serveLog(t, &logs.LogServer{Log: newLog("first", "second"), BookmarkInterval: 10 * time.Millisecond})
	gateway := NewGateway(client)
	tab.open(startServer(t, gateway).URL + "/?grep=third")
	tab.await(`last.endsWith(":2")`)
	require.Equal(t, []any{}, tab.await(lines))
	gateway.Drain()

	mux := http.NewServeMux() // an id alone is not passed, and empty data is
	mux.HandleFunc("/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "id: 1\n\nid: 2\ndata:\n\nid: 3\n\nid: 4\ndata: end\n\n")
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<script>
			const got = [];
			new EventSource("events").onmessage = (e) => got.push(e.lastEventId + e.data);
		</script>`)
	})
	tab.open(startServer(t, mux).URL)
	require.Equal(t, []any{"2", "4end"}, tab.await(`got.length >= 2 && got.slice(0, 2)`))
}

// The page has one stream, and opens nine more. It asks for a file when six are
// open. If closing is true, it closes one whenever six are open, which lets
// another one in.
const openTen = `(() => {
	const closing = %v;
	window.opened = window.open = window.most = 1;
	window.ended = 0;
	window.fetchedAfter = ""; // so many streams were closed
	for (let i = 0; i < 9; i++) {
		const source = new EventSource("events");
		source.onopen = () => {
			opened++;
			most = Math.max(most, ++open);
			if (opened == 6) {
				fetch("page.js", {cache: "no-store"}).then(() => { fetchedAfter = "" + ended; });
			}
			if (closing && open == 6) setTimeout(() => { open--; ended++; source.close(); }, 100);
		};
	}
	return true;
})()`

func TestChromium_SixConnectionsOverHTTP1(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	client, _ := serveLog(t, &logs.LogServer{Log: newLog("first")})
	for _, tt := range []struct {
		http2 bool
		most  int
	}{{false, 6}, {true, 10}} {
		gateway := NewGateway(client)
		server := httptest.NewUnstartedServer(gateway)
		server.Config = NewServer(gateway)
		server.EnableHTTP2 = tt.http2
		if tt.http2 {
			server.StartTLS()
		} else {
			server.Start()
		}
		tab.open(server.URL)
		tab.await(`document.querySelector("#state").textContent == "open"`)
		protocol := map[bool]string{false: "http/1.1", true: "h2"}[tt.http2]
		require.Equal(t, protocol, tab.await(`performance.getEntriesByType("navigation")[0].nextHopProtocol`))
		tab.await(fmt.Sprintf(openTen, !tt.http2)) // over HTTP/2, all stay open
		tab.await(`opened == 10`)
		require.EqualValues(t, tt.most, tab.await(`most`), "HTTP/2: %v", tt.http2)
		waited := tab.await(`fetchedAfter`) != "0"
		require.Equal(t, !tt.http2, waited, "HTTP/2: %v", tt.http2)
		tab.open("about:blank")
		gateway.Drain()
		server.Close()
	}
}

func TestChromium_TextOfTheLogIsNotHTML(t *testing.T) {
	t.Parallel()
	const hostile = `<img src=x onerror="document.title='script'"><script>document.title='script'</script>`
	tab := startChromium(t)
	client, _ := serveLog(t, &logs.LogServer{Log: newLog(hostile, "next")})
	gateway := NewGateway(client)
	tab.open(startServer(t, gateway).URL)
	require.Equal(t, []any{hostile, "next"}, tab.await(lines+`.length == 2 && `+lines))
	require.Equal(t, "Log", tab.await(`document.title`))
	// The policy of the page would stop a script that has come in all the same.
	tab.await(`(document.querySelector("#log").innerHTML = ` + "`" + hostile + "`" + `, true)`)
	tab.await(`document.querySelector("#log img").complete`)
	require.Equal(t, "Log", tab.await(`document.title`))
	gateway.Drain()
}

// A browser takes a carriage return for the end of a line.
func TestChromium_CarriageReturnAddsAField(t *testing.T) {
	t.Parallel()
	const message = "50 %\rdata: 100 %\r\rdata: forged"
	tab := startChromium(t)
	client, _ := serveLog(t, &logs.LogServer{Log: newLog(message)})
	for name, tt := range map[string]struct {
		handler http.Handler
		want    []any
	}{
		"naive":   {naiveEvents(client), []any{"50 %\n100 %", "forged"}},
		"gateway": {NewGateway(client), []any{message}},
	} {
		mux := http.NewServeMux()
		mux.Handle("/events", tt.handler)
		mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, `<script>
				const got = [];
				new EventSource("events").onmessage = ({data}) =>
					got.push(data[0] == "{" ? JSON.parse(data).message : data);
			</script>`)
		})
		tab.open(startServer(t, mux).URL)
		require.Equal(t, tt.want, tab.await(fmt.Sprintf(`got.length == %d && got`, len(tt.want))), name)
	}
}

func TestChromium_ShowsThatEntriesAreMissing(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	var service atomic.Pointer[logs.LogServer]
	service.Store(&logs.LogServer{Log: newLog("old 1", "old 2")})
	client, _ := serveLog(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
		return service.Load().StreamLogs(req, stream)
	}})
	gateway := NewGateway(client)
	tab.open(startServer(t, gateway).URL)
	tab.await(lines + `.length == 2`)
	old := service.Swap(&logs.LogServer{Log: newLog("new 1", "new 2")}) // a restart
	old.Log.Drain()
	got := tab.await(lines + `.length == 5 && ` + lines).([]any)
	require.Equal(t, []any{"old 1", "old 2"}, got[:2])
	require.Regexp(t, `^\(entries are missing: after: 2 belongs to another log; this log is \w+\)$`, got[2])
	require.Equal(t, []any{"new 1", "new 2"}, got[3:])
	gateway.Drain()
}

func TestChromium_FailedClosesTheSource(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	log := newLog("first")
	var failing atomic.Bool
	client, _ := serveLog(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
		if failing.Load() {
			return status.Error(codes.PermissionDenied, "not yours")
		}
		return (&logs.LogServer{Log: log}).StreamLogs(req, stream)
	}})
	tab.open(startServer(t, NewGateway(client)).URL)
	tab.await(lines + `.length == 1`)
	tab.await(`(() => {
		const close = EventSource.prototype.close;
		EventSource.prototype.close = function () { window.closes = 1; close.call(this); };
		return true;
	})()`)
	failing.Store(true)
	log.Drain() // ends the stream, and the browser connects again
	tab.await(`window.closes == 1 && document.querySelector("#state").textContent == "failed: not yours"`)
}

func TestChromium_PageOfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	tab := startChromium(t)
	var calls atomic.Int64
	client, _ := serveLog(t, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error {
		calls.Add(1)
		return nil
	}})
	server := startServer(t, NewGateway(client))
	stranger := startServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `<script>const source = new EventSource("%s/events");</script>`, server.URL)
	}))
	tab.open(stranger.URL)
	tab.await(`source.readyState == EventSource.CLOSED`)
	require.Zero(t, calls.Load())

	tab.open(server.URL) // the gateway's own page
	tab.await(`document.querySelector("#state").textContent == "waiting"`)
	require.NotZero(t, calls.Load())
}
