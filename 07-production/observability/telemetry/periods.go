package telemetry

import (
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Periods returns an interceptor that makes a span for each period of a
// stream. Each span has a link to the span of the call, if a
// [grpc.StatsHandler] such as that of otelgrpc has made one. The period must
// be greater than 0. Pass the interceptor to [grpc.ChainStreamInterceptor],
// after one that recovers panics. A stream has one goroutine more until its
// handler returns.
//
// Each span is the root of a trace of its own, so that it is sampled and
// exported by itself, whatever happens to the stream later. Its name is that
// of the method with " period". Its attributes are stream.age, the seconds
// from the beginning of the stream to the end of the period; stream.sent and
// stream.received, the messages of this period; and stream.blocked, the
// seconds that a Send has waited which has not returned, if there is one and
// it has waited for a millisecond. The last span of a stream also has
// stream.code, the name in Go of the code of the handler's error, or Internal
// after a panic.
func Periods(tracer trace.Tracer, period time.Duration) grpc.StreamServerInterceptor {
	return func(
		srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) (err error) {
		s := &tracedStream{
			ServerStream: stream, tracer: tracer,
			name: strings.TrimPrefix(info.FullMethod, "/") + " period", began: time.Now(),
		}
		s.begin()
		ended := make(chan struct{})
		var ticking sync.WaitGroup
		ticking.Go(func() { s.tick(period, ended) })
		err = status.Error(codes.Internal, "the handler panicked") // unless it returns
		defer func() {
			close(ended)
			ticking.Wait()
			s.end(attribute.String("stream.code", code(err).String()))
		}()
		return handler(srv, s)
	}
}

// A tracedStream counts the messages of the present period.
type tracedStream struct {
	grpc.ServerStream
	tracer trace.Tracer
	name   string
	began  time.Time

	mu             sync.Mutex
	span           trace.Span // of the present period
	sent, received int64      // in the present period
	sending        time.Time  // when the Send that runs began, or zero
}

// SendMsg does not hold the mutex while it waits for the client.
func (s *tracedStream) SendMsg(m any) error {
	s.mu.Lock()
	s.sending = time.Now()
	s.mu.Unlock()
	err := s.ServerStream.SendMsg(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending = time.Time{}
	if err == nil {
		s.sent++
	}
	return err
}

func (s *tracedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.received++
	}
	return err
}

// tick begins a new span once per period until ended is closed.
func (s *tracedStream) tick(period time.Duration, ended <-chan struct{}) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
			s.end()
			s.begin()
		}
	}
}

func (s *tracedStream) begin() {
	// A link, and not a parent: the span of the call is sampled or not for
	// the whole stream, and ends with the stream.
	_, span := s.tracer.Start(s.Context(), s.name,
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithLinks(trace.LinkFromContext(s.Context())))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.span = span
}

// end ends the span of the present period.
func (s *tracedStream) end(attrs ...attribute.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	attrs = append(attrs,
		attribute.Float64("stream.age", time.Since(s.began).Seconds()),
		attribute.Int64("stream.sent", s.sent),
		attribute.Int64("stream.received", s.received))
	if blocked := time.Since(s.sending); !s.sending.IsZero() && blocked >= time.Millisecond {
		attrs = append(attrs, attribute.Float64("stream.blocked", blocked.Seconds()))
	}
	s.span.SetAttributes(attrs...)
	s.span.End()
	s.sent, s.received = 0, 0
}

// code returns the code that grpc-go sends to the client for the error of a
// handler.
func code(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}
