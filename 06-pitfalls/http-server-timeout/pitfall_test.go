package httpservertimeout

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

const reset = "rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR"

// Five numbers, one every 3 s.
func TestBroken_EndsAServerStreamAfter10s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		values, err := count(t.Context(), dial(t, BrokenServer, ticking), 5)
		require.EqualError(t, err, reset)
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, []int64{1, 2, 3}, values)
	})
}

func TestBroken_CancelsAQuietHandlerAfter10s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ended time.Duration
		quiet := &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
				<-stream.Context().Done()
				ended = time.Since(start)
				return stream.Context().Err()
			},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // if the server does not end the call
		defer cancel()
		_, err := count(ctx, dial(t, BrokenServer, quiet), 1)
		require.EqualError(t, err, reset)
		synctest.Wait()
		require.Equal(t, 10*time.Second, ended)
	})
}

func TestFixed_ServerStreamMayTakeLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		values, err := count(t.Context(), dial(t, FixedServer, ticking), 5)
		require.NoError(t, err)
		require.Equal(t, 15*time.Second, time.Since(start))
		require.Equal(t, []int64{1, 2, 3, 4, 5}, values)
	})
}

func TestBroken_EndsAClientStreamAfter10s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := sum(t, dial(t, BrokenServer, &service.Server{}), 5)
		require.EqualError(t, err, reset)
		require.Equal(t, 12*time.Second, time.Since(start), "the Send after the end")
	})
}

// A client that has half-closed does not notice the timeout.
func TestReadTimeout_AloneEndsTheHandlersRecv(t *testing.T) {
	readTimeout := func(handler http.Handler) *http.Server {
		s := BrokenServer(handler)
		s.WriteTimeout = 0
		return s
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := sum(t, dial(t, readTimeout, &service.Server{}), 5)
		require.EqualError(t, err, "rpc error: code = Unavailable desc = i/o timeout")
		values, err := count(t.Context(), dial(t, readTimeout, ticking), 5)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3, 4, 5}, values)
	})
}

func TestFixed_ClientStreamMayTakeLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := sum(t, dial(t, FixedServer, &service.Server{}), 5)
		require.NoError(t, err)
		require.EqualValues(t, 5, response.GetCount())
	})
}

// WriteTimeout ends the other pages all the same.
func TestBoth_EndAPageAfter10s(t *testing.T) {
	for name, newServer := range map[string]func(http.Handler) *http.Server{"broken": BrokenServer, "fixed": FixedServer} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				server := memservertest.ServeHTTP(t, newServer(page))
				h2c := new(http.Protocols)
				h2c.SetUnencryptedHTTP2(true)
				client := http.Client{Transport: &http.Transport{
					Protocols:   h2c,
					DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return server.DialContext(ctx, addr) },
				}}
				defer client.CloseIdleConnections()
				start := time.Now()
				_, err := client.Get("http://page/")
				require.ErrorContains(t, err, "INTERNAL_ERROR")
				require.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

// A handler in front that hides Unwrap also hides SetWriteDeadline. The call
// must not begin, because it would end after 10 s.
func TestFixed_RefusesAWriterWithoutDeadlines(t *testing.T) {
	type hidden struct{ http.ResponseWriter }
	for name, tt := range map[string]struct {
		wrap func(http.ResponseWriter) http.ResponseWriter
		want string // in the error
	}{
		"neither": {func(w http.ResponseWriter) http.ResponseWriter { return hidden{w} }, "feature not supported"},
		"Flush":   {func(w http.ResponseWriter) http.ResponseWriter { return flusher{hidden{w}, w} }, "feature not supported"},
		"Unwrap": {func(w http.ResponseWriter) http.ResponseWriter { return unwrapper{hidden{w}, w} },
			"gRPC requires a ResponseWriter supporting http.Flusher"},
		"both": {func(w http.ResponseWriter) http.ResponseWriter { return both{unwrapper{hidden{w}, w}} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := grpc.NewServer()
				(&service.Server{}).Register(g)
				fixed := FixedServer(g)
				inner := fixed.Handler
				fixed.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(tt.wrap(w), r) })
				client := pitfallsv1.NewPitfallServiceClient(memservertest.ServeHTTP(t, fixed).Dial(t))
				start := time.Now()
				_, err := count(t.Context(), client, 1)
				require.Zero(t, time.Since(start))
				if tt.want == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "500 (Internal Server Error)")
				require.ErrorContains(t, err, tt.want)
			})
		})
	}
}

// The writers of handlers in front, which have one of the methods, or both.
type (
	flusher struct {
		http.ResponseWriter
		inner http.ResponseWriter
	}
	unwrapper struct {
		http.ResponseWriter
		inner http.ResponseWriter
	}
	both struct{ unwrapper }
)

func (w flusher) Flush() { w.inner.(http.Flusher).Flush() }

func (w unwrapper) Unwrap() http.ResponseWriter { return w.inner }

func (w both) Flush() { w.inner.(http.Flusher).Flush() }

// The status waits behind the messages that the client has not read.
func TestSendTimeout_EndsOnlyTheHandler(t *testing.T) {
	for name, open := range map[string]bool{"grpc.Server.Serve": false, "net/http": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handler context.Context
				s := &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
					handler = stream.Context()
					for {
						sent := make(chan error, 1)
						go func() { sent <- stream.Send(&pitfallsv1.Number{Padding: make([]byte, 1000)}) }()
						select {
						case err := <-sent:
							if err != nil {
								return err
							}
						case <-time.After(time.Minute):
							return status.Error(codes.Aborted, "the client read nothing for a minute")
						}
					}
				}}
				g := grpc.NewServer()
				s.Register(g)
				client := pitfallsv1.NewPitfallServiceClient(memservertest.ServeHTTP(t, FixedServer(g)).Dial(t))
				if name != "net/http" {
					client = pitfalltest.Dial(t, s)
				}
				stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
				require.NoError(t, err)
				time.Sleep(time.Hour)
				require.Zero(t, s.OpenStreams(), "the handler has returned")
				require.Equal(t, open, handler.Err() == nil, "the context is open")

				_, err = service.Values(stream)
				require.Equal(t, codes.Aborted, status.Code(err), "got %v", err)
				synctest.Wait()
				require.Error(t, handler.Err(), "after the client has read")
			})
		})
	}
}

func dial(t *testing.T, newServer func(http.Handler) *http.Server, s *service.Server) pitfallsv1.PitfallServiceClient {
	g := grpc.NewServer()
	s.Register(g)
	return pitfallsv1.NewPitfallServiceClient(memservertest.ServeHTTP(t, newServer(g)).Dial(t))
}

func count(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) ([]int64, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to})
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}

// sum sends a number every 3 s.
func sum(t *testing.T, c pitfallsv1.PitfallServiceClient, n int) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(t.Context())
	require.NoError(t, err)
	for range n {
		time.Sleep(3 * time.Second)
		if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	return stream.CloseAndRecv()
}

// ticking sends a number every 3 s.
var ticking = &service.Server{
	OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		for i := range req.GetTo() {
			select {
			case <-time.After(3 * time.Second):
			case <-stream.Context().Done():
				return stream.Context().Err()
			}
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				return err
			}
		}
		return nil
	},
}
