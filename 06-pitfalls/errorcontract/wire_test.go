package errorcontract

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"golang.org/x/net/http2"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Recv reads the five bytes of a message's prefix and leaves the rest of a
// message that is too large. The next Recv takes five bytes of that rest for
// another prefix.
func TestRecv_AfterATooLargeMessageInventsAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seven := []byte{0, 0, 0, 0, 2, 8, 7} // a message of 2 bytes: value 7
		big := &pitfallsv1.Number{Padding: append(make([]byte, 3), seven...)}
		var atHandler []string
		server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
			err := h.SendMsg(big)
			atHandler = recvAll(h, 3)
			return err
		}), grpc.MaxRecvMsgSize(limit))
		conn := server.Dial(t, callOption(grpc.MaxCallRecvMsgSize(limit))...)
		c, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn), 0)
		require.NoError(t, err)
		require.NoError(t, c.SendMsg(big))
		synctest.Wait()

		want := []string{"ResourceExhausted 0", "ResourceExhausted 0", "nil 7"}
		require.Equal(t, want, atHandler)
		require.Equal(t, want, recvAll(c, 3))
	})
}

// The handler goes on for an hour, and Recv does not wait for it.
func TestRecv_AfterACancelReturnsWhatHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
			for i := range int64(2) {
				if err := h.SendMsg(&pitfallsv1.Number{Value: i + 1}); err != nil {
					return err
				}
			}
			time.Sleep(time.Hour)
			return nil
		}))
		ctx, cancel := context.WithCancel(t.Context())
		c, err := openEcho(ctx, pitfallsv1.NewPitfallServiceClient(server.Dial(t)), 0)
		require.NoError(t, err)
		synctest.Wait()
		start := time.Now()
		cancel()
		require.Equal(t, []string{"nil 1", "nil 2", "Canceled 0", "Canceled 0"}, recvAll(c, 4))
		require.Zero(t, time.Since(start))
	})
}

// What the client has received already still arrives. If the status was
// among it, the error is lost.
func TestRecv_GoesOnAfterAnUndecodableMessage(t *testing.T) {
	for last, act := range map[string]func(*serverEnd) error{
		"io.EOF 0":   func(*serverEnd) error { return nil },
		"Internal 0": func(h *serverEnd) error { <-h.Context().Done(); return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
				for _, m := range three() {
					if err := h.SendMsg(m); err != nil {
						return err
					}
				}
				return act(h)
			}))
			c, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)), 0)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, []string{"nil 1", "Internal 0", "nil 3", last}, recvAll(c, 4))
		})
	}
}

// In a handler, the error ends the RPC, which races with the messages that
// have arrived.
func TestHandlerRecv_MayGoOnAfterAnUndecodableOne(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var atHandler []string
			server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
				time.Sleep(time.Second) // until all have arrived
				atHandler = recvAll(h, 3)
				return nil
			}))
			c, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)), 0)
			require.NoError(t, err)
			for _, m := range three() {
				require.NoError(t, c.SendMsg(m))
			}
			require.Equal(t, []string{"Internal 0"}, recvAll(c, 1))
			synctest.Wait()
			require.Equal(t, []string{"nil 1", "Internal 0"}, atHandler[:2])
			seen[atHandler[2]] = true
		})
	}
	require.Equal(t, map[string]bool{"nil 3": true, "Canceled 0": true}, seen)
}

// three returns three messages, of which the second cannot be unmarshaled.
func three() []*pitfallsv1.Number {
	return []*pitfallsv1.Number{{Value: 1}, undecodable(), {Value: 3}}
}

func TestRefusedStream_IsOpenedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streams []uint32
		refused := termination{beforeFirst: true, answer: func(p *peer) {
			streams = append(streams, p.stream)
			p.reset(http2.ErrCodeRefusedStream)
		}}
		f := newFixture(t, inMemory, bidi, refused, 0)
		require.Equal(t, "Unavailable", f.outcome("Recv").text)
		require.Equal(t, []uint32{1, 3}, streams)
	})
}

// A client that has been given something of the stream keeps it.
func TestRefusedStream_EndsTheRPCAfterTheseCalls(t *testing.T) {
	for call, want := range map[string][]uint32{
		"Send": {1, 3}, "CloseSend": {1, 3}, "Context": {1}, "Header": {1}, "Recv": {1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var streams []uint32
			refused := termination{beforeFirst: true, answer: func(p *peer) {
				streams = append(streams, p.stream)
				if call == "Header" || call == "Recv" {
					p.headers(false, ":status", "200", "content-type", "application/grpc")
				}
				if call == "Recv" {
					p.data(false, message)
				}
			}}
			f := newFixture(t, inMemory, bidi, refused, 0)
			if call == "Recv" {
				require.NoError(t, f.client.recv())
			} else {
				_ = clientCalls[call](f.client)
			}
			f.peer.answer = func(p *peer) { streams = append(streams, p.stream) }
			f.peer.reset(http2.ErrCodeRefusedStream)
			synctest.Wait()
			require.Equal(t, map[bool]string{true: "blocks", false: "Unavailable"}[len(want) == 2], f.outcome("Recv").text, call)
			require.Equal(t, want, streams, "streams after %s", call)
		})
	}
}

// grpc-go keeps up to 256 KiB of what the client has sent, to send it again.
// A message has 5 bytes more on the wire.
func TestRefusedStream_EndsTheRPCAfter256KiB(t *testing.T) {
	for size, want := range map[int][]uint32{256<<10 - 5: {1, 3}, 256<<10 - 4: {1}} {
		synctest.Test(t, func(t *testing.T) {
			sent := make(chan bool)
			var streams []uint32
			refused := termination{beforeFirst: true, answer: func(p *peer) {
				<-sent
				streams = append(streams, p.stream)
				p.reset(http2.ErrCodeRefusedStream)
			}}
			f := newFixture(t, inMemory, bidi, refused, 0)
			large := &pitfallsv1.Number{Padding: make([]byte, size-4)}
			require.Equal(t, size, proto.Size(large))
			require.NoError(t, f.client.SendMsg(large))
			close(sent)
			require.Equal(t, "Unavailable", f.outcome("Recv").text)
			require.Equal(t, want, streams, "streams after %d bytes", size)
		})
	}
}

// grpc-go opens the stream again, and the server is gone or the client gives up.
func TestSend_ReturnsWhyItCouldNotOpenAgain(t *testing.T) {
	for want, tt := range map[string]struct {
		term    termination
		happens func(*fixture)
	}{
		"Unavailable": {
			termination{beforeFirst: true, answer: goAway},
			func(f *fixture) { f.network.Refuse(100) },
		},
		"Canceled": {
			termination{beforeFirst: true, answer: unavailable, dialOptions: retrying("10s")},
			func(f *fixture) { time.AfterFunc(time.Second, f.cancel) },
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, inMemory, bidi, tt.term, 0)
			tt.happens(f)
			f.settle()
			require.Equal(t, want, describe(f.client.send(small)).text)
		})
	}
}

// HTTP/2 counts 32 bytes more for each field.
func TestMetadata_Of16MiBIsAllowed(t *testing.T) {
	for size, want := range map[int]string{16<<20 - 1<<10: "nil", 16 << 20: "Internal"} { // grpc-go adds some fields
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, inMemory, bidi, termination{end: cancel}, 0)
			md := metadata.MD{"extra": slices.Repeat([]string{strings.Repeat("~", 1<<18-5-32)}, size>>18)}
			md.Set("rest", strings.Repeat("~", max(0, size-size>>18<<18-4-32)))
			c, err := openEcho(metadata.NewOutgoingContext(t.Context(), md), pitfallsv1.NewPitfallServiceClient(f.conn), 0)
			require.NoError(t, err)
			require.NoError(t, c.send(small))
			require.Equal(t, want, describe(c.recv()).text, "%d bytes", size)
			require.NoError(t, f.client.send(small), "on another stream")
		})
	}
}

// A server announces no limit unless it sets one, and allows 16 MiB.
func TestMetadata_AboveTheDefaultLimitCutsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, inMemory, bidi, termination{end: cancel}, 0)
		// HPACK does not compress a tilde.
		huge := metadata.MD{"extra": slices.Repeat([]string{strings.Repeat("~", 1<<20)}, 18)}
		c, err := openEcho(metadata.NewOutgoingContext(t.Context(), huge), pitfallsv1.NewPitfallServiceClient(f.conn), 0)
		require.NoError(t, err)
		require.NoError(t, c.send(small))
		require.Equal(t, codes.Unavailable.String(), status.Code(c.recv()).String())
		require.Equal(t, codes.Unavailable.String(), status.Code(f.client.recv()).String())
	})
}

func TestSetTrailer_AddsToEarlierValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			stream.SetTrailer(metadata.Pairs("k", "1"))
			stream.SetTrailer(metadata.Pairs("k", "2"))
			return nil
		}})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, []string{"1", "2"}, stream.Trailer().Get("k"))
	})
}

func TestSetTrailer_IsLostAfterTheHandlerReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, inMemory, bidi, termination{}, 0)
		f.handler.SetTrailer(metadata.Pairs("before", "1"))
		require.NoError(t, handlerDoes(returns(nil))(f))
		synctest.Wait()
		f.handler.SetTrailer(metadata.Pairs("after", "1"))
		require.Equal(t, "before served-by", f.outcome("Trailer").text)
	})
}

func TestSetTrailer_IsLostAfterTheRPCEnded(t *testing.T) {
	for call, act := range map[string]func(*serverEnd) error{
		"Recv": func(h *serverEnd) error { return h.recv() },
		"Send": func(h *serverEnd) error { return h.send(large) },
	} {
		synctest.Test(t, func(t *testing.T) {
			options := append(interceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				err := next(srv, ss)
				ss.SetTrailer(metadata.Pairs("interceptor", "1"))
				return err
			}), grpc.MaxRecvMsgSize(limit), grpc.MaxSendMsgSize(limit))
			for _, ends := range []bool{false, true} {
				f := newFixture(t, inMemory, bidi, termination{serverOptions: options}, 0)
				require.NoError(t, f.client.send(large))
				require.NoError(t, handlerDoes(func(h *serverEnd) error {
					h.SetTrailer(metadata.Pairs("before", "1"))
					if ends {
						require.Equal(t, "ResourceExhausted", describe(act(h)).text)
					}
					h.SetTrailer(metadata.Pairs("after", "1"))
					return nil
				})(f))
				want := map[bool]string{false: "after before interceptor served-by", true: "before served-by"}
				require.Equal(t, want[ends], f.outcome("Trailer").text, call)
			}
		})
	}
}

func TestTrailer_IsNilIfTheServerSetsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
			if err := h.send(small); err != nil {
				return err
			}
			return notFound
		}))
		c, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)), 0)
		require.NoError(t, err)
		require.Equal(t, "message, NotFound", recvUntilError(c).text)
		require.Equal(t, "nil", keys(c.Trailer()))
	})
}

// The status has arrived before the client finds that a message is too large.
func TestTrailer_MayComeWithAnErrorOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tooLarge := termination{dialOptions: callOption(grpc.MaxCallRecvMsgSize(limit))}
		f := newFixture(t, inMemory, bidi, tooLarge, 0)
		require.NoError(t, handlerDoes(func(h *serverEnd) error { return h.send(large) })(f))
		synctest.Wait()
		require.Equal(t, "ResourceExhausted", recvUntilError(f.client).text)
		require.Equal(t, "served-by", keys(f.client.Trailer()))
	})
	mistake := clientStreamMistakes[0] // no response
	require.Equal(t, "Internal", textOf(observe(t, clientStream, mistake, "Recv")))
	require.Equal(t, "content-type served-by", textOf(observe(t, clientStream, mistake, "Trailer")))
}

// grpc-go decodes the request of a unary call before the interceptor runs, and
// the request of a server stream inside it.
func TestTrailer_OfAnInterceptorSaysThatItRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ran := metadata.Pairs("ran", "1")
		conn := pitfalltest.Serve(t, new(service.Server), grpc.MaxRecvMsgSize(limit),
			grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
				_ = grpc.SetTrailer(ctx, ran)
				return next(ctx, req)
			}),
			grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				ss.SetTrailer(ran)
				return next(srv, ss)
			}),
		).Dial(t)
		for _, tt := range []struct {
			method string
			size   int64
			code   codes.Code
			ran    int
		}{
			{pitfallsv1.PitfallService_Ping_FullMethodName, small, codes.OK, 1},
			{pitfallsv1.PitfallService_Ping_FullMethodName, large, codes.ResourceExhausted, 0},
			{pitfallsv1.PitfallService_Count_FullMethodName, large, codes.ResourceExhausted, 1},
			{"/pitfalls.v1.PitfallService/None", small, codes.Unimplemented, 0},
		} {
			var trailer metadata.MD
			err := conn.Invoke(t.Context(), tt.method, &pitfallsv1.CountRequest{To: tt.size}, &pitfallsv1.Number{}, grpc.Trailer(&trailer))
			require.Equal(t, tt.code.String(), status.Code(err).String(), "%s: %v", tt.method, err)
			require.Len(t, trailer["ran"], tt.ran, "%s, %s", tt.method, tt.code)
		}
	})
}

// A client whose context has a deadline that has passed, and is not done.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC), true }

func TestReset_CancelAfterTheDeadlineIsDeadlineExceeded(t *testing.T) {
	for after, want := range map[time.Duration]string{0: "Canceled", 2 * time.Second: "DeadlineExceeded"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, inMemory, bidi, termination{unopened: true, beforeFirst: true, answer: func(p *peer) {
				time.Sleep(after)
				p.reset(http2.ErrCodeCancel)
			}}, 0)
			f.ctx = late{f.ctx}
			f.begin()
			err := f.client.recv()
			require.Equal(t, want, describe(err).text)
			require.ErrorContains(t, err, "stream terminated by RST_STREAM with error code: CANCEL")
			require.ErrorIs(t, f.client.Context().Err(), context.Canceled)
		})
	}
}
