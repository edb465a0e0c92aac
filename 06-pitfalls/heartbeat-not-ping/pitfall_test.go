package heartbeatnotping

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
)

func TestBroken_QuietStreamIsResetByTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		numbers := make(chan int64, 1)
		numbers <- 1
		time.AfterFunc(time.Hour, func() { close(numbers) })
		var clientFrames, serverFrames strings.Builder
		client := behindProxy(t, watch(BrokenWatch, numbers), &clientFrames, &serverFrames)

		start := time.Now()
		values, err := read(t.Context(), client)

		require.EqualError(t, err, "rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR")
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, []int64{1}, values)
		synctest.Wait()
		require.Regexp(t, `40s C->S PING .*\n.* 40s S->C PING .* ACK`, clientFrames.String(), "the client pings, the proxy answers")
		require.Regexp(t, `40s S->C PING .*\n.* 40s C->S PING .* ACK`, serverFrames.String(), "the server pings, the proxy answers")
		require.Contains(t, serverFrames.String(), "1m0s C->S RST_STREAM ", "the proxy resets the stream on this side, too")

		require.Zero(t, pitfalltest.OpenStreams(t, client), "the handler has returned")
		synctest.Wait()
		require.NotRegexp(t, `S->C PING .*[^K]\n`, clientFrames.String(), "the proxy forwards no PING to the client")
		require.NotRegexp(t, `C->S PING .*[^K]\n`, serverFrames.String(), "the proxy forwards no PING to the server")
		require.Contains(t, clientFrames.String(), "HEADERS       stream=3 ", "the connection is still open")
		require.Contains(t, serverFrames.String(), "HEADERS       stream=3 ", "the connection is still open")
	})
}

func TestFixed_QuietStreamStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		numbers := make(chan int64, 1)
		numbers <- 1
		time.AfterFunc(time.Hour, func() { numbers <- 2; close(numbers) })
		client := behindProxy(t, watch(FixedWatch, numbers), new(strings.Builder), new(strings.Builder))

		start := time.Now()
		values, err := read(t.Context(), client)

		require.NoError(t, err)
		require.Equal(t, time.Hour, time.Since(start))
		require.Equal(t, []int64{1, 2}, values)
	})
}

// Without a proxy, nothing ends a quiet stream.
func TestBoth_WorkWithoutAProxy(t *testing.T) {
	for _, h := range []handler{BrokenWatch, FixedWatch} {
		synctest.Test(t, func(t *testing.T) {
			numbers := make(chan int64, 1)
			numbers <- 1
			time.AfterFunc(time.Hour, func() { close(numbers) })
			server := pitfalltest.Serve(t, watch(h, numbers), serverOptions...)
			start := time.Now()
			values, err := read(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t, dialOptions)))
			require.NoError(t, err)
			require.Equal(t, time.Hour, time.Since(start))
			require.Equal(t, []int64{1}, values)
		})
	}
}

type handler = func(<-chan int64, grpc.ServerStreamingServer[pitfallsv1.Number]) error

// watch returns a server whose Count sends the numbers.
func watch(h handler, numbers <-chan int64) *service.Server {
	return &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return h(numbers, stream)
		},
	}
}

// read returns the numbers without the heartbeats.
func read(ctx context.Context, c pitfallsv1.PitfallServiceClient) (values []int64, err error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	all, err := service.Values(stream)
	for _, v := range all {
		if v != 0 {
			values = append(values, v)
		}
	}
	return values, err
}

// behindProxy serves s behind a layer-7 proxy that resets a stream on which
// the server has sent nothing for a minute. The frames of the two
// connections are written to the builders.
func behindProxy(t *testing.T, s *service.Server, client, server *strings.Builder) pitfallsv1.PitfallServiceClient {
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	dial := wire.New(server).Dialer(pitfalltest.Serve(t, s, serverOptions...).DialContext)
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "server" },
		Transport: &http.Transport{
			Protocols:   h2c,
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return dial(ctx, addr) },
		},
	}
	proxy := memservertest.ServeHTTP(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		idle := time.AfterFunc(time.Minute, cancel)
		defer idle.Stop()
		reverse.ServeHTTP(&watched{w, func() { idle.Reset(time.Minute) }}, r.WithContext(ctx))
	})})
	return pitfallsv1.NewPitfallServiceClient(proxy.Dial(t, dialOptions,
		grpc.WithContextDialer(wire.New(client).Dialer(proxy.DialContext))))
}

// watched reports each write of the body.
type watched struct {
	http.ResponseWriter
	wrote func()
}

func (w *watched) Write(p []byte) (int, error) { w.wrote(); return w.ResponseWriter.Write(p) }

// Unwrap lets [http.ResponseController] find Flush.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
