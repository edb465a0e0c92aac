// Package telemetry shows streams that stay open to OpenTelemetry: the
// counters of package observability as metrics, and a span for each period of
// a stream.
package telemetry

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"example.com/streams/07-production/observability"
)

// Observe makes instruments of the counters of one method. They are read when
// they are collected, and not for each message.
// Call it once for each Counters.
//
// The instruments are the gauges stream.open, stream.unanswered and
// stream.oldest (the age in seconds of the oldest stream that is open), and
// the counters stream.sent, stream.received and stream.ended. All have the
// attribute rpc.method, and stream.ended also stream.code, the name of the code
// in Go, such as DeadlineExceeded. (otelgrpc writes DEADLINE_EXCEEDED into its
// rpc.response.status_code.)
func Observe(meter metric.Meter, counters *observability.Counters) error {
	var errs []error
	gauge := func(name, unit string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit))
		errs = append(errs, err)
		return g
	}
	counter := func(name, unit string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit))
		errs = append(errs, err)
		return c
	}
	open, unanswered := gauge("stream.open", "{stream}"), gauge("stream.unanswered", "{stream}")
	oldest := gauge("stream.oldest", "s")
	sent, received := counter("stream.sent", "{message}"), counter("stream.received", "{message}")
	ended := counter("stream.ended", "{stream}")

	method := attribute.String("rpc.method", strings.TrimPrefix(counters.Method, "/"))
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s, attrs := counters.Snapshot(), metric.WithAttributes(method)
		o.ObserveInt64(open, int64(s.Open), attrs)
		o.ObserveInt64(unanswered, int64(s.Unanswered), attrs)
		o.ObserveInt64(oldest, int64(s.Oldest/time.Second), attrs)
		o.ObserveInt64(sent, s.Sent, attrs)
		o.ObserveInt64(received, s.Received, attrs)
		for code, n := range s.Ended {
			o.ObserveInt64(ended, n, metric.WithAttributes(method, attribute.String("stream.code", code)))
		}
		return nil
	}, open, unanswered, oldest, sent, received, ended)
	return errors.Join(append(errs, err)...)
}
