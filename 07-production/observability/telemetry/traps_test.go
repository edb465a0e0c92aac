package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/observability"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/testproc"
)

// Tutorials still use them.
func TestOtelgrpc_HasNoInterceptors(t *testing.T) {
	const pkg = "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	out, err := exec.Command("go", "doc", pkg, "NewServerHandler").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range []string{
		"StreamServerInterceptor", "StreamClientInterceptor", "UnaryServerInterceptor", "UnaryClientInterceptor",
	} {
		out, err := exec.Command("go", "doc", pkg, name).CombinedOutput()
		require.Error(t, err, "%s", out)
		require.Contains(t, string(out), "no symbol "+name)
	}
}

// A spy is a stats.Handler that notes where it is called for a message.
type spy struct {
	stats.Handler
	mu     sync.Mutex
	stacks []string
}

func (s *spy) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.InPayload, *stats.OutPayload:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stacks = append(s.stacks, string(debug.Stack()))
	}
}

func TestStatsHandler_RunsWhereTheMessageIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &spy{Handler: &observability.Counters{}}
		server := memservertest.Serve(t, stub{handler: func(stream serverStream) error {
			return errors.Join(stream.Send(&logsv1.LogEntry{}), stream.Send(&logsv1.LogEntry{}))
		}}.register, grpc.StatsHandler(s))
		follow(t.Context(), t, server.Dial(t))
		synctest.Wait()
		require.Len(t, s.stacks, 3, "a request, and two messages")
		require.Contains(t, s.stacks[0], ".RecvMsg(")
		for _, stack := range s.stacks[1:] {
			require.Contains(t, stack, ".SendMsg(")
			require.Contains(t, stack, "stub.StreamLogs(", "the goroutine of the handler")
		}
	})
}

// openInRequest opens a stream in a span that ends 100 ms later, as the request
// of a page does, and ends the stream after a day. It returns the span of the
// request and that of the server.
func openInRequest(t *testing.T, client propagation.TextMapPropagator, options ...otelgrpc.Option) (request, server tracetest.SpanStub) {
	t.Helper()
	b := newBackend()
	s := memservertest.Serve(t, register(logs.NewLog(10)), withOtelgrpc(b, options...))
	conn := s.Dial(t, grpc.WithStatsHandler(otelgrpc.NewClientHandler(
		otelgrpc.WithTracerProvider(b.tracers), otelgrpc.WithPropagators(client))))
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ctx, span := b.tracers.Tracer("page").Start(ctx, "GET /dashboard")
	follow(ctx, t, conn)
	time.Sleep(100 * time.Millisecond)
	span.End()
	time.Sleep(24 * time.Hour)
	leave()
	synctest.Wait()
	spans := b.spans.GetSpans()
	require.Len(t, spans, 3)
	for _, s := range spans {
		if s.SpanKind.String() == "server" {
			server = s
		}
	}
	require.Equal(t, "GET /dashboard", spans[0].Name)
	return spans[0], server
}

func TestParent_IsOverForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request, server := openInRequest(t, propagation.TraceContext{})
		require.Equal(t, request.SpanContext.TraceID(), server.SpanContext.TraceID(), "one trace")
		require.Equal(t, 100*time.Millisecond, request.EndTime.Sub(request.StartTime))
		require.InDelta(t, 24*time.Hour, server.EndTime.Sub(request.EndTime), float64(time.Second))
	})
}

func TestParent_BecomesALinkAtAPublicEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams := otelgrpc.WithPublicEndpointFn(func(_ context.Context, info *stats.RPCTagInfo) bool {
			return info.FullMethodName == method
		})
		request, server := openInRequest(t, propagation.TraceContext{}, streams)
		require.NotEqual(t, request.SpanContext.TraceID(), server.SpanContext.TraceID())
		require.False(t, server.Parent.IsValid())
		require.Equal(t, request.SpanContext.TraceID(), server.Links[0].SpanContext.TraceID())
	})
}

// The global propagator is one that does nothing, until it is set.
func TestParent_IsNotSentWithoutAPropagator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request, server := openInRequest(t, nil)
		require.NotEqual(t, request.SpanContext.TraceID(), server.SpanContext.TraceID())
		require.Empty(t, server.Links)
	})
}

func TestShutdown_ExportsOnlySpansThatHaveEnded(t *testing.T) {
	for _, drained := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			exporter := &keeper{}
			tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
			b := newBackend()
			b.tracers = tracers
			log := logs.NewLog(10)
			server := memservertest.Serve(t, register(log), withOtelgrpc(b))
			follow(t.Context(), t, server.Dial(t))
			time.Sleep(23 * time.Hour)
			want := 0
			if drained {
				log.Drain() // the streams end first
				synctest.Wait()
				want = 1
			}
			require.NoError(t, tracers.Shutdown(t.Context()))
			log.Drain()
			synctest.Wait()
			require.Equal(t, want, exporter.spans, "a span that ends later is lost")
		})
	}
}

// A keeper counts spans, also after its Shutdown.
type keeper struct{ spans int }

func (k *keeper) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.spans += len(spans)
	return nil
}

func (k *keeper) Shutdown(context.Context) error { return nil }

// A printer prints the name of each span that it exports.
type printer struct{}

func (printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		fmt.Println(s.Name())
	}
	return nil
}

func (printer) Shutdown(context.Context) error { return nil }

// The process of the server is killed after three periods of a stream.
func TestKill_LosesTheSpanOfTheCall(t *testing.T) {
	server := testproc.Self(t, serveAndPrint, nil)
	conn, err := grpc.NewClient(server.Line(server.Stdout), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
	require.NoError(t, err)
	for range 3 {
		require.Equal(t, "logs.v1.LogService/StreamLogs period", server.Line(server.Stdout))
	}
	server.Signal(os.Kill)
	_, err = stream.Recv()
	require.Error(t, err)
	_, stdout, _ := server.Wait()
	require.NotContains(t, stdout, "logs.v1.LogService/StreamLogs\n")
}

// serveAndPrint prints an address, and then the spans that it exports, until
// the process is killed.
func serveAndPrint() int {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(printer{}))
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 1
	}
	fmt.Println(listener.Addr())
	s := grpc.NewServer(
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(tracers))),
		grpc.ChainStreamInterceptor(Periods(tracers.Tracer("streams"), 50*time.Millisecond)))
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: logs.NewLog(10)})
	if s.Serve(listener) != nil {
		return 1
	}
	return 0
}
