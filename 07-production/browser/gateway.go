// Package browser shows the log of chapter 02 in a web page. A gateway calls
// StreamLogs for each stream of events, and passes the entries on as
// server-sent events, which browsers read without a library.
package browser

import (
	"cmp"
	"context"
	"embed"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// openTimeout is how long a gateway waits at most until its upstream has room
// for another stream.
const openTimeout = 10 * time.Second

// localHosts are the names of a server that listens on loopback.
var localHosts = []string{"localhost", "127.0.0.1", "::1"}

//go:embed page.html page.js
var page embed.FS

// A Gateway is an [http.Handler] that serves a page and its events. It makes
// at most one call of StreamLogs for each stream of events, and holds no entries. Make
// one with [NewGateway]. Set the fields before the first request. Methods may
// be called concurrently.
//
//   - GET / is the page, and GET /page.js its script.
//   - GET /events?after=LOG:SEQUENCE&grep=TEXT are the events of the entries
//     that follow the position and contain the text. An empty after, which is
//     the default, means from the oldest entry on, and an empty grep means
//     all. The header Last-Event-ID replaces after.
//
// 400: the position is not one of an event. 403: the page that asks is of
// another origin. 421: the name of the host is not one of Hosts. An
// EventSource gives up after any of them. The gateway's other answers to GET /events have
// status 200: see the events in the lesson.
type Gateway struct {
	// MaxStreams is how many streams of events may be open. A browser that
	// comes when all are open is told to come back 30 s later. The default
	// is 100, the quota that one connection has at the server of chapter 02.
	MaxStreams int

	// SendTimeout is how long a browser that does not read may delay one
	// event before its stream ends. The default is 30 s.
	SendTimeout time.Duration

	// Hosts are the host names, in lowercase and without ports, that browsers
	// may use for this gateway. The default is localhost, 127.0.0.1 and ::1.
	Hosts []string

	mux  http.ServeMux
	logs logsv1.LogServiceClient
	open atomic.Int64 // streams of events

	draining context.Context
	drain    context.CancelFunc
}

// NewGateway returns a gateway to the log that logs serves.
func NewGateway(logs logsv1.LogServiceClient) *Gateway {
	g := &Gateway{logs: logs}
	g.draining, g.drain = context.WithCancel(context.Background())
	g.mux.HandleFunc("GET /{$}", servePage)
	g.mux.Handle("GET /page.js", http.FileServerFS(page))
	g.mux.HandleFunc("GET /events", g.serveEvents)
	return g
}

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.isHost(r.Host) {
		http.Error(w, "host: must be a name of this gateway", http.StatusMisdirectedRequest)
		return
	}
	g.mux.ServeHTTP(w, r)
}

func servePage(w http.ResponseWriter, r *http.Request) {
	// Even if the page had a mistake, no script but page.js would run.
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'")
	http.ServeFileFS(w, r, page, "page.html")
}

// serveEvents relays one call of StreamLogs until the browser leaves, the
// upstream ends the call, or Drain is called.
func (g *Gateway) serveEvents(w http.ResponseWriter, r *http.Request) {
	if !isSameOrigin(r) {
		http.Error(w, "origin: must be that of the page", http.StatusForbidden)
		return
	}
	req, err := parseRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	events := newEventWriter(w, cmp.Or(g.SendTimeout, 30*time.Second))
	if r.Method == http.MethodHead {
		return // the client expects no body, and sends its next request
	}
	defer g.open.Add(-1)
	if g.open.Add(1) > int64(cmp.Or(g.MaxStreams, 100)) {
		_ = events.retryAfter(30 * time.Second) // fails only if the browser has left
		return
	}
	ctx, cancel := context.WithCancel(r.Context()) // ends when the browser leaves
	defer cancel()
	defer context.AfterFunc(g.draining, cancel)()
	events.end(g.relay(ctx, cancel, req, events))
}

// relay makes a call to the upstream and writes its entries to events. cancel
// must end ctx.
func (g *Gateway) relay(
	ctx context.Context, cancel func(), req *logsv1.LogRequest, events *eventWriter,
) error {
	if err := events.retryAfter(randomRetry()); err != nil {
		return err
	}
	opening := time.AfterFunc(openTimeout, cancel)
	stream, err := g.logs.StreamLogs(ctx, req)
	opening.Stop()
	for err == nil {
		var e *logsv1.LogEntry
		if e, err = stream.Recv(); err == nil {
			err = events.entry(e)
		}
	}
	return err
}

// Drain ends all streams of events; one that waits for its browser to read ends
// later, after SendTimeout at the latest. The browsers come back after a second
// or so, with the id of their last event. Drain does not block. Only the first
// call has an effect.
func (g *Gateway) Drain() { g.drain() }

// isHost reports whether a Host header names this gateway. A page of a
// stranger can give its own name the address 127.0.0.1 ("DNS rebinding"), and
// is then of the same origin as a gateway that accepts every name.
func (g *Gateway) isHost(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.Trim(hostPort, "[]") // without a port
	}
	hosts := g.Hosts
	if len(hosts) == 0 {
		hosts = localHosts
	}
	return slices.Contains(hosts, strings.ToLower(host))
}

// isSameOrigin reports whether the request is from a page of this gateway, or
// from no page, as far as the headers tell. Without this check, each page on the Web could hold streams
// here, although it could not read them.
func isSameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "": // not from a browser, or neither TLS nor loopback
		origin := r.Header.Get("Origin")
		return origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host
	default:
		return false
	}
}
