package telemetry

import (
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	experimental "google.golang.org/grpc/experimental/opentelemetry"
	"google.golang.org/grpc/stats/opentelemetry"

	"example.com/streams/07-production/observability"
	"example.com/streams/internal/golden"
)

// withOtelgrpc returns the option for a server that reports to b.
func withOtelgrpc(b *backend, options ...otelgrpc.Option) grpc.ServerOption {
	options = append([]otelgrpc.Option{
		otelgrpc.WithTracerProvider(b.tracers), otelgrpc.WithMeterProvider(b.meters),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
	}, options...)
	return grpc.StatsHandler(otelgrpc.NewServerHandler(options...))
}

// withGRPC is the same with the package of grpc-go.
func withGRPC(b *backend) grpc.ServerOption {
	return opentelemetry.ServerOption(opentelemetry.Options{
		MetricsOptions: opentelemetry.MetricsOptions{MeterProvider: b.meters},
		TraceOptions:   experimental.TraceOptions{TracerProvider: b.tracers, TextMapPropagator: propagation.TraceContext{}},
	})
}

func TestDay_WhatIsSeenOfAStream(t *testing.T) {
	for name, options := range map[string]func(*testing.T, *backend) []grpc.ServerOption{
		"otelgrpc": func(_ *testing.T, b *backend) []grpc.ServerOption {
			return []grpc.ServerOption{withOtelgrpc(b)}
		},
		"grpc": func(_ *testing.T, b *backend) []grpc.ServerOption {
			return []grpc.ServerOption{withGRPC(b)}
		},
		"ours": func(t *testing.T, b *backend) []grpc.ServerOption {
			counters := &observability.Counters{Method: method}
			require.NoError(t, Observe(b.meters.Meter("streams"), counters))
			return []grpc.ServerOption{
				grpc.StatsHandler(counters),
				grpc.ChainStreamInterceptor(Periods(b.tracers.Tracer("streams"), time.Hour)),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBackend()
				var text strings.Builder
				aDay(t, func(at string) {
					text.WriteString(at + "\n" + list("metrics", b.metrics(t)))
					spans := b.ended()
					if len(spans) > 3 {
						spans = append(append([]string{}, spans[0], "..."), spans[len(spans)-1])
					}
					text.WriteString(list("spans that have ended", spans))
				}, options(t, b)...)
				golden.File(t, "testdata/"+name+".txt", text.String())
			})
		})
	}
}

func TestObserve_KindsAndAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, counters := newBackend(), &observability.Counters{Method: method}
		require.NoError(t, Observe(b.meters.Meter("streams"), counters))
		aDay(t, func(string) {}, grpc.StatsHandler(counters))
		var data metricdata.ResourceMetrics
		require.NoError(t, b.reader.Collect(t.Context(), &data))
		kinds := map[string]string{}
		for _, m := range data.ScopeMetrics[0].Metrics {
			var attrs attribute.Set
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				kinds[m.Name], attrs = "counter", d.DataPoints[0].Attributes
			case metricdata.Gauge[int64]:
				kinds[m.Name], attrs = "gauge", d.DataPoints[0].Attributes
			}
			want := []attribute.KeyValue{attribute.String("rpc.method", "logs.v1.LogService/StreamLogs")}
			if m.Name == "stream.ended" {
				want = append(want, attribute.String("stream.code", "Canceled"))
			}
			require.Equal(t, want, attrs.ToSlice(), m.Name)
		}
		require.Equal(t, map[string]string{
			"stream.open": "gauge", "stream.unanswered": "gauge", "stream.oldest": "gauge",
			"stream.sent": "counter", "stream.received": "counter", "stream.ended": "counter",
		}, kinds)
	})
}

func TestOtelgrpc_MessageEventsDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		aDay(t, func(string) {}, withOtelgrpc(b, otelgrpc.WithMessageEvents(otelgrpc.SentEvents, otelgrpc.ReceivedEvents)))
		spans := b.spans.GetSpans()
		require.Len(t, spans, 1)
		require.Empty(t, spans[0].Events)
		require.Zero(t, spans[0].DroppedEvents)
	})
}

// The limit drops the oldest events. Without it, the span holds all of them in
// memory until it ends.
func TestGRPC_SpanKeepsTheLast128Events(t *testing.T) {
	for limit, want := range map[int]int{128: 128, -1: 1441} { // a request, and 1,440 entries
		synctest.Test(t, func(t *testing.T) {
			limits := sdktrace.NewSpanLimits()
			require.Equal(t, 128, limits.EventCountLimit, "the default")
			limits.EventCountLimit = limit
			b := newBackend(sdktrace.WithRawSpanLimits(limits))
			aDay(t, func(string) {}, withGRPC(b))
			spans := b.spans.GetSpans()
			require.Len(t, spans, 1)
			events := spans[0].Events
			require.Len(t, events, want)
			require.Equal(t, 1441-want, spans[0].DroppedEvents)
			require.WithinDuration(t, spans[0].EndTime, events[len(events)-1].Time, time.Minute)
		})
	}
}

// exemplars returns the traces of the exemplars of all histograms.
func exemplars(t *testing.T, b *backend) (traces []string) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, b.reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok {
				for _, e := range h.DataPoints[0].Exemplars {
					traces = append(traces, hex.EncodeToString(e.TraceID))
				}
			}
		}
	}
	return traces
}

// An exemplar is the trace of a value of a metric.
func TestOtelgrpc_ExemplarComesWithTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		var got [][]string
		aDay(t, func(string) { got = append(got, exemplars(t, b)) }, withOtelgrpc(b))
		call := b.spans.GetSpans()[0].SpanContext.TraceID().String()
		require.Equal(t, [][]string{nil, {call}}, got)
	})
}
