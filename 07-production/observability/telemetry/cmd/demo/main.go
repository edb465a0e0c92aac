// Command demo follows a log for four seconds, and prints what OpenTelemetry
// shows of this one stream: with otelgrpc, and with this lesson.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/observability"
	"example.com/streams/07-production/observability/telemetry"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver"
)

const seconds = 4

func main() { os.Exit(cli.Main("demo", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	theirs, ours := newBackend("otelgrpc"), newBackend("this lesson")
	counters := &observability.Counters{Method: logsv1.LogService_StreamLogs_FullMethodName}
	if err := telemetry.Observe(ours.meters.Meter("streams"), counters); err != nil {
		return err
	}
	log := logs.NewLog(1000)
	server := memserver.Serve(
		func(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, &logs.LogServer{Log: log}) },
		grpc.StatsHandler(otelgrpc.NewServerHandler(
			otelgrpc.WithTracerProvider(theirs.tracers), otelgrpc.WithMeterProvider(theirs.meters))),
		grpc.StatsHandler(counters),
		grpc.ChainStreamInterceptor(telemetry.Periods(ours.tracers.Tracer("streams"), time.Second)))
	conn, err := server.NewClient()
	if err != nil {
		return errors.Join(err, server.Close())
	}
	defer conn.Close()
	go logs.Generate(ctx, log, 250*time.Millisecond)

	following, leave := context.WithCancel(ctx)
	defer leave()
	defer time.AfterFunc(seconds*time.Second, leave).Stop()
	go report(following, theirs, ours)
	for _, err := range logs.Tail(following, logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{Follow: true}) {
		if err != nil && following.Err() == nil {
			return errors.Join(err, server.Close())
		}
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), server.Close())
	}
	fmt.Println("the client leaves")
	err = server.Close() // waits for the handler, so that its spans have ended
	theirs.printMetrics()
	ours.printMetrics()
	return err
}

// report prints the metrics each second, between two periods, until ctx is
// done.
func report(ctx context.Context, backends ...*backend) {
	for wait := 1500 * time.Millisecond; ; wait = time.Second {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			for _, b := range backends {
				b.printMetrics()
			}
		}
	}
}

// A backend prints what a process would export. Its methods may be called
// concurrently.
type backend struct {
	name    string
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
}

func newBackend(name string) *backend {
	b := &backend{name: name, reader: sdkmetric.NewManualReader()}
	b.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(b))
	b.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader))
	return b
}

// ExportSpans implements [sdktrace.SpanExporter].
func (b *backend) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		var attrs strings.Builder
		for _, kv := range s.Attributes() {
			if key, ok := strings.CutPrefix(string(kv.Key), "stream."); ok && key != "age" {
				fmt.Fprintf(&attrs, " %s=%s", key, kv.Value.String())
			}
		}
		took := s.EndTime().Sub(s.StartTime()).Round(100 * time.Millisecond)
		fmt.Printf("%-12s span %q took %v%s\n", b.name, s.Name(), took, attrs.String())
	}
	return nil
}

// Shutdown implements [sdktrace.SpanExporter].
func (b *backend) Shutdown(context.Context) error { return nil }

func (b *backend) printMetrics() {
	var data metricdata.ResourceMetrics
	if err := b.reader.Collect(context.Background(), &data); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return
	}
	var values []string
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					values = append(values, fmt.Sprintf("%s=%d", m.Name, p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					values = append(values, fmt.Sprintf("%s=%d", m.Name, p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					values = append(values, fmt.Sprintf("%s=%.1fs", m.Name, p.Sum))
				}
			}
		}
	}
	if len(values) == 0 {
		values = []string{"no metrics"}
	}
	fmt.Printf("%-12s %s\n", b.name, strings.Join(values, " "))
}
