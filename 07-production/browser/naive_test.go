package browser

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// naiveEvents is the gateway that everybody writes first.
func naiveEvents(c logsv1.LogServiceClient) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		req := &logsv1.LogRequest{Follow: true}
		for e, err := range logs.Tail(r.Context(), c, req) {
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(w, "data: %s\n\n", e.GetMessage())
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func newNaive(t *testing.T, log *logs.Log) http.HandlerFunc {
	return naiveEvents(logsv1.NewLogServiceClient(memservertest.Dial(t, register(&logs.LogServer{Log: log}))))
}

func TestNaive_RepeatsTheLogAtEachConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newSource(t, newNaive(t, newLog("first", "second")), "")
		var got []string
		for range 3 {
			ctx, leave := context.WithCancel(t.Context())
			client.connect(ctx)
			for range 2 {
				e, _ := client.next()
				got = append(got, e.Data)
			}
			leave()
		}
		require.Equal(t, []string{"first", "second", "first", "second", "first", "second"}, got)

		client = newSource(t, newNaive(t, newLog("x\rretry: 3600000")), "")
		client.connect(t.Context())
		e, _ := client.next()
		require.Equal(t, "x", e.Data)
		require.Equal(t, time.Hour, client.retry, "the text of the log")
	})
}

// A WriteTimeout is good advice for pages, and ends a naive stream of events.
func TestNaive_WriteTimeoutEndsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog("first")
		service := &logs.LogServer{Log: log, BookmarkInterval: time.Hour}
		second := func(handler http.Handler) bool { // arrives a minute later
			server := NewServer(handler)
			server.WriteTimeout = 10 * time.Second
			client := &source{t: t, client: newClient(t, server, true), url: "http://localhost/events"}
			client.connect(t.Context())
			_, ok := client.next()
			require.True(t, ok)
			time.Sleep(time.Minute)
			log.Append("second", false)
			_, ok = client.next()
			return ok
		}
		require.False(t, second(newNaive(t, log)))
		require.True(t, second(newGateway(t, service)))
	})
}
