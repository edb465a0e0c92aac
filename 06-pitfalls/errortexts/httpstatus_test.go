package errortexts

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
)

// httpStatuses are what a client says about an HTTP response that is not a
// response of gRPC.
var httpStatuses = []text{
	{
		shows:   `rpc error: code = PermissionDenied desc = unexpected HTTP status code received from server: 403 (Forbidden); transport: received unexpected content-type "text/html..."...`,
		who:     "a proxy",
		fix:     "The proxy refused the call. Check the proxy's rules and your token.",
		produce: html(http.StatusForbidden),
	},
	{
		shows:   `rpc error: code = Unauthenticated desc = unexpected HTTP status code received from server: 401 (Unauthorized); transport: received unexpected content-type "text/html..."...`,
		who:     "a proxy",
		fix:     "The proxy wants other credentials. Do not repeat the call unchanged.",
		produce: html(http.StatusUnauthorized),
	},
	{
		shows:   `rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 429 (Too Many Requests); transport: received unexpected content-type "text/html..."...`,
		who:     "a proxy",
		fix:     "The proxy says that calls come too often. Wait between attempts: {05-cancellation#come-back}.",
		produce: html(http.StatusTooManyRequests),
	},
	{
		shows: `rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 502 (Bad Gateway); malformed header: missing HTTP content-type`,
		who:   "a proxy",
		fix: "The proxy, for example an `httputil.ReverseProxy`, got no valid answer from the server, for example because it " +
			"restarts, or the proxy speaks HTTP/1.1 to it. Call again later: {05-cancellation#come-back}.",
		produce: func(t *testing.T) string {
			backend := listen(t)
			require.NoError(t, backend.Close())
			got := countTCP(t, proxy(t, backend.Addr().String(), 0))
			require.Equal(t, got, overHTTP1(t))
			return got
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 502 (Bad Gateway); transport: received unexpected content-type "text/html..."...`,
		who:   "a proxy",
		fix: "The proxy got no valid answer from the server, for example because it restarts, or the proxy speaks HTTP/1.1 to it. " +
			"Call again later: {05-cancellation#come-back}.",
		produce: html(http.StatusBadGateway),
	},
	{
		shows:   `rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 503 (Service Unavailable); transport: received unexpected content-type "text/html..."...`,
		who:     "a proxy",
		fix:     "The proxy says that it cannot serve now, for example because no server is ready. Call again later: {05-cancellation#come-back}.",
		produce: html(http.StatusServiceUnavailable),
	},
	{
		shows: `rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 504 (Gateway Timeout); transport: received unexpected content-type "text/html..."...`,
		who:   "a proxy",
		fix: "The server did not answer within the proxy's time limit. A handler that has nothing to say yet can " +
			"send its header: {header-blocks}.",
		produce: html(http.StatusGatewayTimeout),
	},
	{
		shows: `rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type "text/html..."...`,
		who:   "a proxy or another server",
		fix: "Nobody knows the path, for example because the proxy has no route for this service, or no server during a deployment. " +
			"The code is Unimplemented although your server may have the method; a client that gives up at " +
			"Unimplemented gives up during a deployment: {html-answer}.",
		produce: html(http.StatusNotFound),
	},
	{
		shows:   `rpc error: code = Unknown desc = unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type "text/html..."...`,
		who:     "a proxy or another server",
		fix:     "A web page came instead of a gRPC response, such as a login page, a default page of the proxy, or a wrong port: {html-answer}.",
		produce: html(http.StatusOK),
	},
}

// overHTTP1 calls a gRPC server through a proxy that speaks HTTP/1.1 to it.
func overHTTP1(t *testing.T) string {
	server, listener := grpcServer(pitfalltest.Idle()), listen(t)
	go func() { _ = server.Serve(listener) }() // until Stop
	t.Cleanup(server.Stop)
	reverse := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: listener.Addr().String()})
	reverse.ErrorLog = log.New(io.Discard, "", 0)
	return countTCP(t, h2c(t, reverse, 0))
}

// html returns a producer of the error of a call that gets a page.
func html(code int) func(*testing.T) string {
	return func(t *testing.T) string {
		return countTCP(t, h2c(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, "<html>%s</html>", http.StatusText(code)) // the client is there
		}), 0))
	}
}
