package serve_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// A port scan, a health probe of a load balancer and a browser all open
// connections on which nothing follows.
func TestDrain_SilentConnectionIsNoFailure(t *testing.T) {
	ended := map[string]chan error{}
	for name, sent := range map[string]string{
		"nothing":        "",
		"half a preface": http2.ClientPreface[:10],
		"no SETTINGS":    http2.ClientPreface,
		"SETTINGS":       http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		for _, limit := range []time.Duration{0, time.Second} {
			listener, err := net.Listen("tcp", "localhost:0")
			require.NoError(t, err)
			s := serve.New()
			s.Drain = limit
			ctx, signal := context.WithCancel(t.Context())
			end := make(chan error, 1)
			ended[name+" "+limit.String()] = end
			go func() { end <- s.ServeUntil(ctx, listener) }()

			conn, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write([]byte(sent))
			require.NoError(t, err)
			_, err = conn.Read(make([]byte, 1)) // the server has accepted it
			require.NoError(t, err)
			signal()
		}
	}
	for name, end := range ended {
		require.NoError(t, <-end, name)
	}
}

func TestDrain_EndsAClientThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve.New()
		server.Drain = 5 * time.Second
		s := servetest.Start(t, server)
		conn, err := s.DialContext(t.Context(), "")
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
		require.NoError(t, err)
		go func() { _, _ = io.Copy(io.Discard, conn) }() // until the server closes it
		synctest.Wait()

		start := time.Now()
		s.Signal()
		require.NoError(t, s.Wait())
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestHandshake_MayTakeThreeSeconds(t *testing.T) {
	for _, sent := range []string{"", http2.ClientPreface[:10], http2.ClientPreface} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := start(t, untilCanceled)
			conn, err := s.DialContext(t.Context(), "")
			require.NoError(t, err)
			_, err = conn.Write([]byte(sent))
			require.NoError(t, err)
			start := time.Now()
			_, _ = io.Copy(io.Discard, conn) // until the server closes it
			require.Equal(t, 3*time.Second, time.Since(start), "sent %q", sent)
		})
	}
}

func TestStreams_101stIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, untilCanceled)
		client := dialRaw(t, s)
		for id := uint32(1); id < 2*100; id += 2 {
			client.open(id, "/any/Method", 0)
		}
		synctest.Wait()
		require.Empty(t, client.ended)
		client.open(201, "/any/Method", 0)
		synctest.Wait()
		require.Equal(t, []http2.ErrCode{http2.ErrCodeRefusedStream}, client.ended)
	})
}

func TestRequest_OfMoreThan64KiBIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn := start(t, func(stream grpc.ServerStream) error { return stream.RecvMsg(new(wrapperspb.BytesValue)) })
		for size, want := range map[int]string{
			64<<10 - 4: "", // and 4 bytes around it
			64<<10 - 3: "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (65537 vs. 65536)",
		} {
			stream := open(t, conn)
			require.NoError(t, stream.SendMsg(wrapperspb.Bytes(make([]byte, size))))
			require.NoError(t, stream.CloseSend())
			if err := end(stream); want == "" {
				require.Equal(t, io.EOF, err)
			} else {
				require.EqualError(t, err, want)
			}
		}
	})
}

// By default, a window of grpc-go can grow to 16 MiB when a stream is read, and
// the next stream of the connection has it from the start.
func TestWindow_DoesNotGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		message := wrapperspb.Bytes(make([]byte, 1024))
		_, conn := start(t, func(stream grpc.ServerStream) error {
			if method, _ := grpc.MethodFromServerStream(stream); method == "/any/Unread" {
				return untilCanceled(stream)
			}
			for {
				if err := stream.RecvMsg(new(wrapperspb.BytesValue)); err != nil {
					return err
				}
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		upload := &grpc.StreamDesc{ClientStreams: true}
		read, err := conn.NewStream(ctx, upload, "/any/Read")
		require.NoError(t, err)
		for range 5000 {
			require.NoError(t, read.SendMsg(message))
		}
		unread, err := conn.NewStream(ctx, upload, "/any/Unread")
		require.NoError(t, err)
		sent := make(chan int, 1)
		go func() {
			n := 0
			for unread.SendMsg(message) == nil {
				n++
			}
			sent <- n
		}()
		synctest.Wait()
		cancel()
		// 64 KiB of window and 64 KiB of the client's own queue; each message
		// takes 8 bytes more than its data.
		require.InDelta(t, 128<<10/1032, <-sent, 1, "messages that the client could send")
	})
}

// HPACK lets a client name a field of the header table with one byte. 20
// header lists of 4 kB each would become 190 MB of metadata, for as long as
// the streams are open.
func TestHeaders_ThatHPACKAmplifiesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, untilCanceled)
		client := dialRaw(t, s)
		before := heap()
		for id := uint32(1); id < 2*20; id += 2 {
			client.open(id, "/any/Method", 4000)
			require.Less(t, client.block.Len(), 8000)
			synctest.Wait()
		}
		require.Equal(t, slices.Repeat([]http2.ErrCode{http2.ErrCodeFrameSize}, 20), client.ended)
		require.Less(t, heap(), before+4<<20)
	})
}

func TestHeaders_Under16KiBAreAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, untilCanceled)
		client := dialRaw(t, s)
		client.open(1, "/any/Method", 5) // 15 kB
		client.open(3, "/any/Method", 6) // 18 kB
		synctest.Wait()
		require.Equal(t, []http2.ErrCode{http2.ErrCodeFrameSize}, client.ended)
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first one leaves what is in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestKeepalive_HalfOpenConnectionEndsAfter30s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		s, _ := start(t, func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			ended <- time.Now()
			return nil
		})
		network := faultnet.New(s.DialContext)
		open(t, s.Dial(t, grpc.WithContextDialer(network.DialContext)))
		start := time.Now()
		network.Conn().HalfOpen()
		require.Equal(t, 30*time.Second, (<-ended).Sub(start))
	})
}

func TestKeepalive_ClientMayPingEvery10s(t *testing.T) {
	for interval, want := range map[time.Duration][]string{
		10 * time.Second:   nil,
		10*time.Second - 1: {"too_many_pings"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := start(t, untilCanceled)
			client := dialRaw(t, s)
			client.open(1, "/any/Method", 0)
			for range 4 {
				require.NoError(t, client.WritePing(false, [8]byte{}))
				time.Sleep(interval)
			}
			synctest.Wait()
			require.Equal(t, want, client.goAway, "a ping every %v", interval)
		})
	}
}

func TestConnection_HasNoMaximumAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn := start(t, func(stream grpc.ServerStream) error {
			time.Sleep(24 * time.Hour)
			return stream.Context().Err()
		})
		require.Equal(t, io.EOF, end(open(t, conn)))
	})
}

func TestNew_OptionsOverrideTheQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := servetest.Start(t, serve.New(grpc.MaxConcurrentStreams(1),
			grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return untilCanceled(stream) })))
		client := dialRaw(t, s)
		client.open(1, "/any/Method", 0)
		client.open(3, "/any/Method", 0)
		synctest.Wait()
		require.Equal(t, []http2.ErrCode{http2.ErrCodeRefusedStream}, client.ended)
	})
}
