package telemetry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// byMinute returns the options for a server that reports to b, with a span of
// each call and each minute.
func byMinute(b *backend) []grpc.ServerOption {
	return []grpc.ServerOption{
		withOtelgrpc(b),
		grpc.ChainStreamInterceptor(recoverPanic, Periods(b.tracers.Tracer("streams"), time.Minute)),
	}
}

// recoverPanic is an interceptor that turns a panic into Internal.
func recoverPanic(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if recover() != nil {
			err = status.Error(codes.Internal, "internal error")
		}
	}()
	return handler(srv, stream)
}

func TestPeriods_EndASpanEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, log := newBackend(), logs.NewLog(10)
		server := memservertest.Serve(t, register(log), byMinute(b)...)
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		follow(ctx, t, server.Dial(t))
		time.Sleep(10 * time.Second)
		for range 7 { // an entry at 10 s, 30 s, 50 s, ..., 2 min 10 s
			log.Append("tick", false)
			time.Sleep(20 * time.Second)
		}
		ticking := func() int {
			return strings.Count(strings.Join(memservertest.Goroutines(), "\n"), "(*tracedStream).tick(")
		}
		require.Equal(t, 1, ticking(), "goroutines of a stream")
		leave()
		synctest.Wait()
		require.Zero(t, ticking())

		spans := b.spans.GetSpans()
		require.Len(t, spans, 4)
		call := spans[3]
		require.Equal(t, "logs.v1.LogService/StreamLogs", call.Name)
		traces := map[string]bool{}
		for i, want := range []struct {
			age            float64
			sent, received int64
		}{{60, 3, 1}, {120, 3, 0}, {150, 1, 0}} {
			s := spans[i]
			require.Equal(t, "logs.v1.LogService/StreamLogs period", s.Name)
			require.InDelta(t, want.age, attr(s, "stream.age"), 0.001)
			require.Equal(t, want.sent, attr(s, "stream.sent"))
			require.Equal(t, want.received, attr(s, "stream.received"))
			require.Nil(t, attr(s, "stream.blocked"))
			require.False(t, s.Parent.IsValid(), "a root")
			require.Equal(t, call.SpanContext.SpanID(), s.Links[0].SpanContext.SpanID())
			traces[s.SpanContext.TraceID().String()] = true
		}
		require.Len(t, traces, 3)
		require.Nil(t, attr(spans[1], "stream.code"))
		require.Equal(t, "Canceled", attr(spans[2], "stream.code"))
	})
}

func TestPeriods_TellHowLongSendIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, log := newBackend(), logs.NewLog(1000)
		server := memservertest.Serve(t, register(log), byMinute(b)...)
		_, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err) // and nobody reads
		time.Sleep(10 * time.Second)
		for range 1000 {
			log.Append(strings.Repeat("x", 1000), false)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		spans := b.spans.GetSpans()
		require.Len(t, spans, 2)
		require.InDelta(t, 50, attr(spans[0], "stream.blocked"), 0.001)
		require.InDelta(t, 110, attr(spans[1], "stream.blocked"), 0.001)
		require.Zero(t, attr(spans[1], "stream.sent"))
	})
}

// stream.blocked is there if Send has waited for a millisecond.
func TestPeriods_BlockedFromAMillisecond(t *testing.T) {
	for blocked, want := range map[time.Duration]any{time.Millisecond - 1: nil, time.Millisecond: 0.001} {
		synctest.Test(t, func(t *testing.T) {
			b, log := newBackend(), logs.NewLog(1000)
			server := memservertest.Serve(t, register(log), byMinute(b)...)
			_, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
			require.NoError(t, err) // and nobody reads
			time.Sleep(time.Minute - blocked)
			for range 1000 {
				log.Append(strings.Repeat("x", 1000), false)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			require.Equal(t, want, attr(b.spans.GetSpans()[0], "stream.blocked"))
		})
	}
}

func TestPeriods_HaveNoLinkWithoutACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		aDay(t, func(string) {}, grpc.ChainStreamInterceptor(Periods(b.tracers.Tracer("streams"), time.Hour)))
		require.NotEmpty(t, b.spans.GetSpans())
		for _, s := range b.spans.GetSpans() {
			require.Empty(t, s.Links)
		}
	})
}

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// A stub is a LogService whose handler is the function.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	handler func(serverStream) error
}

func (s stub) StreamLogs(_ *logsv1.LogRequest, stream serverStream) error { return s.handler(stream) }

func (s stub) register(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, s) }

func TestPeriods_LastSpanHasTheCode(t *testing.T) {
	for want, handler := range map[string]func(serverStream) error{
		"OK":               func(serverStream) error { return nil },
		"OutOfRange":       func(serverStream) error { return status.Error(codes.OutOfRange, "too old") },
		"DeadlineExceeded": func(serverStream) error { return context.DeadlineExceeded },
		"Unknown":          func(serverStream) error { return errors.New("bug") },
		"Internal":         func(serverStream) error { panic("bug") },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend()
			server := memservertest.Serve(t, stub{handler: handler}.register, byMinute(b)...)
			follow(t.Context(), t, server.Dial(t))
			synctest.Wait()
			spans := b.spans.GetSpans()
			require.Equal(t, want, attr(spans[0], "stream.code"))
			upper := map[string]string{"OutOfRange": "OUT_OF_RANGE", "DeadlineExceeded": "DEADLINE_EXCEEDED"}
			if upper[want] != "" {
				require.Equal(t, upper[want], attr(spans[1], "rpc.response.status_code"))
			}
		})
	}
}

// A sampler that counts how often it is asked, and drops everything.
type sampler struct {
	mu    sync.Mutex
	asked map[string]int // by the name of the span
}

func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[p.Name]++
	return sdktrace.SamplingResult{Decision: sdktrace.Drop}
}

func (*sampler) Description() string { return "drops all" }

// The handler fails after 20 hours. Nobody knows that when the stream begins.
func TestSampler_IsAskedAtTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sampler{asked: map[string]int{}}
		asked := func(name string) int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.asked[name]
		}
		b := newBackend(sdktrace.WithSampler(s))
		server := memservertest.Serve(t, stub{handler: func(serverStream) error {
			time.Sleep(20 * time.Hour)
			return status.Error(codes.Internal, "bug")
		}}.register, byMinute(b)...)
		follow(t.Context(), t, server.Dial(t))
		synctest.Wait()
		require.Equal(t, 1, asked("logs.v1.LogService/StreamLogs"))

		time.Sleep(20*time.Hour + time.Second)
		synctest.Wait()
		require.Equal(t, 1, asked("logs.v1.LogService/StreamLogs"))
		require.InDelta(t, 20*60, asked("logs.v1.LogService/StreamLogs period"), 1)
		require.Empty(t, b.spans.GetSpans(), "the failure is not in any span")
	})
}

// Sampling by the parent would follow the call, and keep all periods or none.
func TestPeriods_AreSampledByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.5))))
		aDay(t, func(string) {}, byMinute(b)...)
		spans := b.spans.GetSpans()
		require.InDelta(t, 24*60/2, len(spans), 150)
		require.Len(t, linked(spans), 1, "all have a link to one call")
	})
}

// linked returns the traces that spans have a link to.
func linked(spans tracetest.SpanStubs) map[string]bool {
	traces := map[string]bool{}
	for _, s := range spans {
		for _, link := range s.Links {
			traces[link.SpanContext.TraceID().String()] = true
		}
	}
	return traces
}
