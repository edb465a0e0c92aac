package proxies

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/golden"
)

var answers = []struct {
	http int
	code codes.Code
	who  string
}{
	{200, codes.Unknown, "a login page, or a web server at the wrong port"},
	{400, codes.Internal, "a proxy that rejects the request, such as too large a header"},
	{401, codes.Unauthenticated, "a proxy that checks tokens"},
	{403, codes.PermissionDenied, "a firewall for web applications"},
	{404, codes.Unimplemented, "a proxy without a route, also during a deployment"},
	{429, codes.Unavailable, "a proxy that limits the rate"},
	{500, codes.Unknown, "a proxy that fails"},
	{502, codes.Unavailable, "a proxy that cannot connect to the server"},
	{503, codes.Unavailable, "a proxy that has no server that is ready"},
	{504, codes.Unavailable, "a proxy whose server did not begin to answer in time"},
}

// retries is what Retryable of chapter 05 says. This chapter cannot import it.
var retries = map[codes.Code]string{
	codes.Unknown: "yes", codes.Internal: "yes", codes.Unavailable: "yes",
	codes.Unimplemented: "no", codes.Unauthenticated: "no", codes.PermissionDenied: "no",
}

func TestHTML_BecomesACode(t *testing.T) {
	hops, err := os.ReadFile("../../docs/hops.md")
	require.NoError(t, err)
	follow05 := map[string]string{"yes": "retries", "no": "gives up"}
	var table strings.Builder
	table.WriteString("| HTTP status | code | chapter 05 retries | for example from |\n|---|---|---|---|\n")
	for _, tt := range answers {
		text := http.StatusText(tt.http)
		require.Contains(t, string(hops), fmt.Sprintf("| HTTP %d %s | `%v` | %s |\n", tt.http, text, tt.code, follow05[retries[tt.code]]))
		fmt.Fprintf(&table, "| %d %s | `%v` | %s | %s |\n", tt.http, text, tt.code, retries[tt.code], tt.who)
		t.Run(text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serveHTTP(t, &http.Server{Handler: html(tt.http)})

				messages, _, err := read(t.Context(), client, follow)

				require.Zero(t, messages)
				require.Equal(t, tt.code.String(), status.Code(err).String())
				require.Equal(t, fmt.Sprintf("unexpected HTTP status code received from server: %d (%s); "+
					"transport: received unexpected content-type \"text/html\"\ndata: \"<h1>sorry</h1>\"", tt.http, text),
					status.Convert(err).Message())
			})
		})
	}
	golden.Section(t, "README.md", "answers", table.String())
	synctest.Test(t, func(t *testing.T) {
		long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		})
		_, _, err := read(t.Context(), serveHTTP(t, &http.Server{Handler: long}), follow)
		require.Equal(t, 1<<10, strings.Count(err.Error(), "xx")*2, "bytes of the page")
	})
}

func html(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "<h1>sorry</h1>")
	})
}

// The server of gRPC adds content-type to headers or trailers. A client that
// finds it in neither has got no answer from a server of gRPC.
func TestHTML_LeavesNoContentType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range answers {
			stream, err := serveHTTP(t, &http.Server{Handler: html(tt.http)}).StreamLogs(t.Context(), follow)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Equal(t, tt.code.String(), status.Code(err).String())
			header, err := stream.Header()
			require.NoError(t, err)
			require.Empty(t, header)
			require.Empty(t, stream.Trailer())
		}
	})
}
