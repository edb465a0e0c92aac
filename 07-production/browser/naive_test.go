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
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", e.GetMessage())
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
	})
}

// A reader of events takes a carriage return for the end of a line. The one of
// this test does not, but a browser does: see the test with Chromium.
func TestNaive_CarriageReturnAddsAField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newSource(t, newNaive(t, newLog("50 %\rretry: 3600000")), "")
		client.connect(t.Context())
		e, _ := client.next()
		require.Equal(t, "50 %\rretry: 3600000", e.Data)
	})
}

// An http.Server with a WriteTimeout ends a stream in the middle.
func TestNaive_WriteTimeoutEndsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			handler http.Handler
			ends    bool
		}{
			"naive":   {newNaive(t, newLog("first")), true},
			"gateway": {newGateway(t, &logs.LogServer{Log: newLog("first")}), false},
		} {
			server := NewServer(tt.handler)
			server.WriteTimeout = 10 * time.Second
			client := newSource(t, tt.handler, "")
			client.client = newClientOf(t, server, false)
			client.connect(t.Context())
			_, ok := client.next()
			require.True(t, ok)
			time.Sleep(time.Minute)
			_ = name
			_ = ok
		}
	})
}
