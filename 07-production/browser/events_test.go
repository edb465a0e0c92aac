package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

func TestEvents_AreTextOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog("GET /cart 200", "GET /cart 500")
		gateway := newGateway(t, &logs.LogServer{Log: log})
		resp, err := newClient(t, NewServer(gateway), false).Get("http://localhost/events")
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
		time.AfterFunc(20*time.Second, gateway.Drain)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)

		text := regexp.MustCompile(`id: \w+:`).ReplaceAllString(string(body), "id: 5f3a91c0:")
		text = regexp.MustCompile(`retry: \d+`).ReplaceAllString(text, "retry: 1112")
		golden.File(t, "testdata/events.txt", strings.TrimSuffix(text, "\n"))
	})
}

// The browser leaves, the gateway drains, or the server stops.
func TestEvents_EachEntryOnceThroughManyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		var gateway *Gateway
		client := newSource(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gateway.ServeHTTP(w, r) }), "")
		var got []string
		for n := range 30 {
			server := memservertest.Serve(t, register(&logs.LogServer{Log: log}))
			gateway = NewGateway(logsv1.NewLogServiceClient(server.Dial(t)))
			ctx, leave := context.WithCancel(t.Context())
			for range 10 {
				log.Append(fmt.Sprint(len(got)+10), false)
			}
			client.connect(ctx)
			for range 5 { // some of them are lost with the connection
				log.Append("x", false)
				e, ok := client.next()
				require.True(t, ok)
				got = append(got, e.ID)
			}
			end := []func(){leave, gateway.Drain, server.Stop}[n%3]
			end()
			synctest.Wait()
			leave()
			synctest.Wait()
		}
		require.Len(t, got, 150)
		for i, id := range got {
			require.True(t, strings.HasSuffix(id, fmt.Sprintf(":%d", i+1)), "%q is event %d", id, i+1)
		}
	})
}

func TestEvents_PositionOfAnotherLogIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &logs.LogServer{Log: newLog("old 1", "old 2")}
		gateway := newGateway(t, service)
		client := newSource(t, gateway, "")
		ctx, leave := context.WithCancel(t.Context())
		client.connect(ctx)
		client.next()
		client.next()
		leave()
		synctest.Wait()
		service.Log = newLog("new 1", "new 2", "new 3") // as after a restart

		client.connect(t.Context())
		e, ok := client.next()
		require.True(t, ok)
		require.Equal(t, "gone", e.Type)
		require.Equal(t, ":0", e.ID)
		require.Regexp(t, `^after: 2 belongs to another log; this log is \w+$`, e.Data)
		_, ok = client.next()
		require.False(t, ok, "the response ends")

		client.connect(t.Context())
		e, ok = client.next()
		require.True(t, ok)
		require.Contains(t, e.Data, "new 1")
	})
}

func TestEvents_DroppedEntriesAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog("first")
		gateway := newGateway(t, &logs.LogServer{Log: log})
		client := newSource(t, gateway, "")
		ctx, leave := context.WithCancel(t.Context())
		client.connect(ctx)
		client.next()
		leave()
		synctest.Wait()
		for range 20 { // the log holds ten
			log.Append("x", false)
		}

		client.connect(t.Context())
		e, _ := client.next()
		require.Equal(t, event{"gone", ":0", "after: 1 is no longer held; the oldest is 12"}, e)
		client.connect(t.Context())
		e, _ = client.next()
		require.True(t, strings.HasSuffix(e.ID, ":12"), e.ID)
	})
}

// The URL is still that of the first request.
func TestEvents_LastEventIDReplacesAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, &logs.LogServer{Log: newLog("first", "second")})
		client := newSource(t, gateway, "?after=:1")
		client.connect(t.Context())
		e, _ := client.next()
		require.Contains(t, e.Data, "second")
		client.lastID = ":0"
		client.connect(t.Context())
		e, _ = client.next()
		require.Contains(t, e.Data, "first")
	})
}

func TestEvents_BookmarkMovesThePosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog("GET /cart 500")
		gateway := newGateway(t, &logs.LogServer{Log: log})
		client := newSource(t, gateway, "?grep=500")
		client.connect(t.Context())
		e, _ := client.next()
		require.Equal(t, "message", e.Type)
		go func() {
			for range 24 * 60 { // the log holds ten entries
				time.Sleep(time.Minute)
				log.Append("GET /cart 200", false)
			}
			gateway.Drain()
		}()
		for ok := true; ok; {
			_, ok = client.next()
		}
		log.Append("GET /cart 500 again", false)
		gateway = newGateway(t, &logs.LogServer{Log: log})
		client.client = newClient(t, NewServer(gateway), false)
		client.connect(t.Context())
		e, _ = client.next()
		require.Equal(t, "message", e.Type, "got %q", e.Data)
		require.Contains(t, e.Data, "GET /cart 500 again")
	})
}

// A browser sends the text that its URL has as UTF-8. Another client may not.
func TestEvents_GrepReplacesInvalidUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, &logs.LogServer{Log: newLog("first", "a \uFFFD")})
		client := newSource(t, gateway, "?grep=%FF")
		client.connect(t.Context())
		e, ok := client.next()
		require.True(t, ok)
		require.Contains(t, e.Data, "a \uFFFD")
	})
}

func TestEvents_LeavingEndsTheUpstreamCall(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var handled error
			gateway := newGateway(t, stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
				<-stream.Context().Done()
				handled = stream.Context().Err()
				return handled
			}})
			ctx, leave := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/events", nil)
			require.NoError(t, err)
			resp, err := newClient(t, NewServer(gateway), http2).Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			synctest.Wait()
			require.NoError(t, handled)
			leave()
			synctest.Wait()
			require.Equal(t, context.Canceled, handled)
		})
	}
}

func TestEvents_BrowserThatDoesNotReadIsDropped(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var lived time.Duration
			gateway := newGateway(t, stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
				defer func() { lived = time.Since(start) }()
				for {
					if err := stream.Send(&logsv1.LogEntry{Message: strings.Repeat("x", logs.MaxLine)}); err != nil {
						return err
					}
				}
			}})
			for _, drain := range []bool{false, true} {
				start = time.Now()
				var served time.Duration
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					gateway.ServeHTTP(w, r)
					served = time.Since(start)
				})
				resp, err := newClient(t, NewServer(handler), http2).Get("http://localhost/events")
				require.NoError(t, err)
				defer resp.Body.Close()
				want := 30 * time.Second
				if drain {
					want = 10 * time.Second // of the call, and not of the send
					time.AfterFunc(want, gateway.Drain)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Equal(t, want, lived)
				require.Equal(t, 30*time.Second, served)
			}
		})
	}
}

// HTTP/2 resets a stream at its write deadline, even if nothing is written.
func TestEvents_QuietStreamOutlivesSendTimeout(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			gateway := newGateway(t, &logs.LogServer{Log: newLog(), BookmarkInterval: time.Hour})
			client := newSource(t, gateway, "")
			client.client = newClient(t, NewServer(gateway), http2)
			start := time.Now()
			client.connect(t.Context())
			for range 24 {
				e, ok := client.next()
				require.True(t, ok)
				require.Equal(t, "bookmark", e.Type)
			}
			require.Equal(t, 24*time.Hour, time.Since(start))
		})
	}
}

func TestEvents_OneTooManyIsToldWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, &logs.LogServer{Log: newLog("first")})
		gateway.MaxStreams = 1
		first, second := newSource(t, gateway, ""), newSource(t, gateway, "")
		ctx, leave := context.WithCancel(t.Context())
		first.connect(ctx)
		first.next()

		second.connect(t.Context())
		_, ok := second.next()
		require.False(t, ok)
		require.Equal(t, 30*time.Second, second.retry)

		leave()
		synctest.Wait()
		second.connect(t.Context())
		_, ok = second.next()
		require.True(t, ok)
		require.InDelta(t, time.Second, second.retry, float64(500*time.Millisecond))
	})
}

func TestMaxStreams_Is100ByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, &logs.LogServer{Log: newLog("first")})
		for n := range 101 {
			client := newSource(t, gateway, "")
			client.connect(t.Context())
			_, ok := client.next()
			require.Equal(t, n < 100, ok, "stream %d", n+1)
		}
	})
}

func TestEvents_DrainEndsThemAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, &logs.LogServer{Log: newLog()})
		client := newSource(t, gateway, "")
		for range 2 { // open, and then one that comes too late
			start := time.Now()
			client.connect(t.Context())
			gateway.Drain()
			_, ok := client.next()
			require.False(t, ok)
			require.Zero(t, time.Since(start))
		}
	})
}

func TestEvents_UpstreamWithoutRoomEndsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, register(&logs.LogServer{Log: newLog("first")}), grpc.MaxConcurrentStreams(1))
		gateway := NewGateway(logsv1.NewLogServiceClient(server.Dial(t)))
		defer gateway.Drain()
		first, second := newSource(t, gateway, ""), newSource(t, gateway, "")
		first.connect(t.Context())
		first.next()
		start := time.Now()
		second.connect(t.Context())
		_, ok := second.next()
		require.False(t, ok)
		require.Equal(t, openTimeout, time.Since(start))
	})
}

func TestEvents_TellWhatWillNotPass(t *testing.T) {
	for code, want := range map[codes.Code]string{
		codes.OutOfRange:       "gone :0 too\u2028 old",
		codes.InvalidArgument:  "failed  too\u2028 old",
		codes.PermissionDenied: "failed  too\u2028 old",
		codes.Unauthenticated:  "failed  too\u2028 old",
		codes.Unimplemented:    "failed  too\u2028 old",
		codes.Unavailable:      "",
		codes.Internal:         "",
		codes.Unknown:          "",
		codes.OK:               "",
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := newGateway(t, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error {
				return status.Error(code, "too\u2028\nold")
			}})
			client := newSource(t, gateway, "")
			client.connect(t.Context())
			e, ok := client.next()
			got := ""
			if ok {
				got = fmt.Sprintf("%s %s %s", e.Type, e.ID, e.Data)
				_, ok = client.next()
			}
			require.False(t, ok)
			require.Equal(t, want, got, code.String())
		})
	}
}

func TestEvents_TextCannotAddAnEvent(t *testing.T) {
	const hostile = "a\r\n\r\nevent: failed\rdata: b\n\nretry: 3600000\n\n\x00</script>"
	synctest.Test(t, func(t *testing.T) {
		gateway := newGateway(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
			if req.GetAfter() == 7 {
				return status.Error(codes.OutOfRange, req.GetLogId())
			}
			return stream.Send(&logsv1.LogEntry{LogId: hostile, Sequence: 7, Message: hostile})
		}})
		client := newSource(t, gateway, "")
		client.connect(t.Context())
		e, ok := client.next()
		require.True(t, ok)
		require.Equal(t, "message", e.Type)
		require.NotContains(t, e.ID+e.Data, "\r")
		var entry struct{ Message string }
		require.NoError(t, json.Unmarshal([]byte(e.Data), &entry))
		require.Equal(t, hostile, entry.Message)
		_, ok = client.next()
		require.False(t, ok)

		client.connect(t.Context()) // with the position of that log
		e, ok = client.next()
		require.True(t, ok)
		require.Equal(t, "gone", e.Type)
		require.NotContains(t, e.Data, "\r")
		require.Contains(t, e.Data, "retry: 3600000")
		require.Less(t, client.retry, 2*time.Second)
	})
}

func TestEvents_WrongPositionIs400(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, NewServer(newGateway(t, &logs.LogServer{Log: newLog()})), false)
		for _, position := range []string{"7", "x:", "x:-1", "x:1.5", "%ZZ:1", "%FF:1", "x:18446744073709551616"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/events", nil)
			require.NoError(t, err)
			req.Header.Set("Last-Event-ID", position)
			resp, err := client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusBadRequest, resp.StatusCode, position)
			require.Equal(t, "after: must be LOG:SEQUENCE, the id of an event\n", string(body))
		}
	})
}
