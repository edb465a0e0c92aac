package browser

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/memserver/memservertest"
)

func TestNewServer_LimitsHeadersAndTheirTime(t *testing.T) {
	for name, tt := range map[string]struct {
		sent  string
		ends  time.Duration
		reply string
	}{
		"nothing":        {"", 5 * time.Second, ""},
		"half a header":  {"GET / HTTP/1.1\r\nHost: a\r\n", 5 * time.Second, ""},
		"30 KiB":         {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 30<<10) + "\r\n\r\n", 0, "HTTP/1.1 431 "},
		"idle afterward": {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", time.Minute, "HTTP/1.1 404 "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.ServeHTTP(t, NewServer(http.NotFoundHandler()))
				conn, err := server.DialContext(t.Context(), "")
				require.NoError(t, err)
				defer conn.Close()
				_, err = conn.Write([]byte(tt.sent))
				require.NoError(t, err)
				start := time.Now()
				reply, err := io.ReadAll(conn) // until the server closes it
				require.NoError(t, err)
				require.InDelta(t, tt.ends.Seconds(), time.Since(start).Seconds(), 1)
				require.True(t, strings.HasPrefix(string(reply), tt.reply), string(reply))
			})
		})
	}
}
