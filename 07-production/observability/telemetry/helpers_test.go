package telemetry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

const method = logsv1.LogService_StreamLogs_FullMethodName

// A backend holds in memory what a process would export.
type backend struct {
	spans   *tracetest.InMemoryExporter // that have ended
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
}

// newBackend returns a backend. Each span is exported when it ends.
func newBackend(options ...sdktrace.TracerProviderOption) *backend {
	b := &backend{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	b.tracers = sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(b.spans))...)
	b.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader))
	return b
}

// metrics returns a line for each value that is collected now, in order.
func (b *backend) metrics(t *testing.T) (lines []string) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, b.reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					ended, _ := p.Attributes.Value("stream.code")
					lines = append(lines, strings.TrimSuffix(m.Name+" "+ended.AsString(), " ")+fmt.Sprintf(" = %d", p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					lines = append(lines, fmt.Sprintf("%s = %d", m.Name, p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					last := p.BucketCounts[len(p.BucketCounts)-1]
					lines = append(lines, fmt.Sprintf("%s = %v s, %d above %v s", m.Name, p.Sum, last, p.Bounds[len(p.Bounds)-1]))
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					lines = append(lines, fmt.Sprintf("%s = %d bytes", m.Name, p.Sum))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// ended returns a line for each span.
func (b *backend) ended() (lines []string) {
	for _, s := range b.spans.GetSpans() {
		lines = append(lines, fmt.Sprintf("span %q took %v, events: %d, dropped: %d",
			s.Name, s.EndTime.Sub(s.StartTime), len(s.Events), s.DroppedEvents))
	}
	return lines
}

// attr returns the value of an attribute of a span, or nil.
func attr(s tracetest.SpanStub, key string) any {
	for _, kv := range s.Attributes {
		if string(kv.Key) == key {
			return kv.Value.AsInterface()
		}
	}
	return nil
}

// register returns the function that adds a LogServer with the log.
func register(log *logs.Log) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	}
}

// follow opens a stream that reads until ctx ends.
func follow(ctx context.Context, t *testing.T, conn grpc.ClientConnInterface) {
	t.Helper()
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
	require.NoError(t, err)
	go func() {
		for err == nil {
			_, err = stream.Recv()
		}
	}()
}

// aDay runs a server with the options for a day. A client follows its log,
// which gets an entry a minute, and then leaves. report is called after 23
// hours, and at the end.
func aDay(t *testing.T, report func(at string), options ...grpc.ServerOption) {
	t.Helper()
	log := logs.NewLog(10)
	server := memservertest.Serve(t, register(log), options...)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	follow(ctx, t, server.Dial(t))
	for minute := range 24 * 60 {
		if minute == 23*60 {
			synctest.Wait()
			report("after 23 hours")
		}
		time.Sleep(time.Minute)
		log.Append("GET /cart 200", false)
	}
	synctest.Wait()
	leave()
	synctest.Wait()
	report("after 24 hours")
}

// list returns the lines, indented, or that there are none.
func list(what string, lines []string) string {
	if len(lines) == 0 {
		return "  no " + what + "\n"
	}
	return "  " + strings.Join(lines, "\n  ") + "\n"
}
