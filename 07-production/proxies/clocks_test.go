package proxies

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
)

const (
	badGateway = "rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 502 (Bad Gateway); " +
		"transport: received unexpected content-type \"text/html\"\ndata: \"<h1>502 Bad Gateway</h1>\""
	gatewayTimeout = "rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 504 (Gateway Timeout); " +
		"transport: received unexpected content-type \"text/html\"\ndata: \"<h1>504 Gateway Timeout</h1>\""
	closed = "rpc error: code = Unavailable desc = error reading from server: EOF"
	aged   = "rpc error: code = Unavailable desc = closing transport due to: connection error: " +
		`desc = "error reading from server: EOF", received prior goaway: code: NO_ERROR, debug data: "max_age"`
	http1 = "rpc error: code = Unavailable desc = connection error: desc = \"error reading server preface: " +
		"http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header\""
)

// busy is a service that sends an entry each second.
type busy struct {
	logsv1.UnimplementedLogServiceServer
}

func (busy) StreamLogs(_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	for i := uint64(1); ; i++ {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-time.After(time.Second):
		}
		if err := stream.Send(&logsv1.LogEntry{Sequence: i}); err != nil {
			return err
		}
	}
}

// silent is a service that answers nothing.
func silent() logsv1.LogServiceServer { return &logs.LogServer{Log: logs.NewLog(1)} }

var culprits = []struct {
	text  string
	who   string
	lived time.Duration
	run   func(*testing.T) logsv1.LogServiceClient
}{
	{reset, "a proxy: its idle clock, after the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		return behind(t, &Proxy{Idle: 15 * time.Second}, serve(t, oneEntry()))
	}},
	{reset, "a proxy: its clock of the whole stream, after the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		return behind(t, &Proxy{Stream: 15 * time.Second}, serve(t, busy{}))
	}},
	{reset, "a proxy: its server ended, without a status, after the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		server := serve(t, busy{})
		time.AfterFunc(15*time.Second, server.Stop)
		return behind(t, &Proxy{}, server)
	}},
	{reset, "the server's own `net/http`: `WriteTimeout`", 10 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		s := grpc.NewServer()
		logsv1.RegisterLogServiceServer(s, busy{})
		return serveHTTP(t, &http.Server{Handler: s, WriteTimeout: 10 * time.Second})
	}},
	{gatewayTimeout, "a proxy: its idle clock, before the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		return behind(t, &Proxy{Idle: 15 * time.Second}, serve(t, silent()))
	}},
	{gatewayTimeout, "a proxy: its clock of the whole stream, before the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		return behind(t, &Proxy{Stream: 15 * time.Second}, serve(t, silent()))
	}},
	{badGateway, "a proxy: its server ended, without a status, before the first message", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		server := serve(t, silent())
		time.AfterFunc(15*time.Second, server.Stop)
		return behind(t, &Proxy{}, server)
	}},
	{badGateway, "a proxy: it cannot connect to the server", 0, func(t *testing.T) logsv1.LogServiceClient {
		server := serve(t, silent())
		server.Stop()
		return behind(t, &Proxy{}, server)
	}},
	{closed, "a proxy: its clock of the connection; or the process at the other end has ended", 15 * time.Second, func(t *testing.T) logsv1.LogServiceClient {
		return behind(t, &Proxy{Age: 15 * time.Second}, serve(t, busy{}))
	}},
	{aged, "the gRPC server: `MaxConnectionAge` and its grace, with no layer-7 proxy between", 0, func(t *testing.T) logsv1.LogServiceClient {
		server := serve(t, busy{}, grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: time.Minute, MaxConnectionAgeGrace: 5 * time.Second,
		}))
		return logsv1.NewLogServiceClient(server.Dial(t))
	}},
	{http1, "a proxy or a port that speaks only HTTP/1.1", 0, func(t *testing.T) logsv1.LogServiceClient {
		onlyHTTP1 := new(http.Protocols)
		onlyHTTP1.SetHTTP1(true)
		return serveHTTP(t, &http.Server{Protocols: onlyHTTP1})
	}},
}

func TestErrorText_NamesTheCulprit(t *testing.T) {
	var texts []string
	from := map[string][]string{}
	for _, tt := range culprits {
		if from[tt.text] == nil {
			texts = append(texts, tt.text)
		}
		from[tt.text] = append(from[tt.text], tt.who)
		t.Run(tt.who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, lived, err := read(endsAfter(t, time.Hour), tt.run(t), follow)
				require.EqualError(t, err, tt.text)
				if tt.text == aged { // grpc-go varies the age by up to 10 %
					require.InDelta(t, time.Minute+5*time.Second, lived, float64(7*time.Second))
					return
				}
				require.Equal(t, tt.lived, lived)
			})
		})
	}
	var table strings.Builder
	table.WriteString("| error text | from |\n|---|---|\n")
	for _, text := range texts {
		line, _, _ := strings.Cut(text, "\n")
		fmt.Fprintf(&table, "| `%s` | %s |\n", line, strings.Join(from[text], "<br>or "))
	}
	golden.Section(t, "README.md", "culprits", table.String())
}

// An entry comes every second, and some clock ends the stream every few
// seconds, or sooner.
func TestClient_ThatFollowsAgainMissesNothing(t *testing.T) {
	for name, p := range map[string]*Proxy{
		"idle":   {Idle: 900 * time.Millisecond},
		"stream": {Stream: 7500 * time.Millisecond},
		"age":    {Age: 7500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := logs.NewLog(100)
				go func() {
					for range 60 {
						log.Append("entry", false)
						time.Sleep(time.Second)
					}
					log.Append("end", false)
				}()
				client := behind(t, p, serve(t, &logs.LogServer{Log: log}))
				req := &logsv1.LogRequest{Follow: true}
				var want, got []uint64
				for i := range uint64(61) {
					want = append(want, i+1)
				}
				cuts := 0
				for len(got) < 61 {
					for e, err := range logs.Tail(t.Context(), client, req) {
						if err != nil {
							cuts++
							break
						}
						if got = append(got, e.GetSequence()); e.GetMessage() == "end" {
							break
						}
					}
					time.Sleep(100 * time.Millisecond)
				}
				require.Equal(t, want, got)
				require.Greater(t, cuts, 5)
			})
		})
	}
}

// The clocks of streams leave a call alone that ends before.
func TestProxy_PassesTheServersStatusOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		log.Append("first", false)
		time.AfterFunc(10*time.Second, log.Drain)
		p := &Proxy{Stream: time.Minute, Idle: time.Minute, Age: time.Minute}

		messages, lived, err := read(t.Context(), behind(t, p, serve(t, &logs.LogServer{Log: log})), follow)

		require.EqualError(t, err, "rpc error: code = Unavailable desc = shutting down; resume after 1")
		require.Equal(t, 10*time.Second, lived)
		require.Equal(t, 1, messages)
	})
}

func TestServe_ClosesAllConnectionsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &watchedService{oneEntry(), make(chan struct{}, 1)}
		server := serve(t, service)
		f := newFront()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- (&Proxy{Upstream: "server", Dial: server.DialContext}).Serve(ctx, f) }()
		idle, err := f.DialContext(t.Context(), "")
		require.NoError(t, err)
		time.AfterFunc(time.Minute, cancel)
		_, lived, err := read(t.Context(), f.client(t), follow)
		require.Contains(t, []string{closed, reset}, err.Error())
		require.Equal(t, time.Minute, lived)
		_, err = io.ReadAll(idle)
		require.NoError(t, err, "until EOF")
		<-service.ended // the connection to the server is closed, too
		require.NoError(t, <-served)
	})
}

func TestProxy_EndsTheHandlerOfACutStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &watchedService{oneEntry(), make(chan struct{}, 1)}
		client := behind(t, &Proxy{Idle: 15 * time.Second}, serve(t, service))
		start := time.Now()
		_, _, err := read(t.Context(), client, follow)
		require.EqualError(t, err, reset)
		<-service.ended
		require.Equal(t, 15*time.Second, time.Since(start))
	})
}
