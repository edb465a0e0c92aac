package observability

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// LogStreams returns an interceptor that logs when a stream opens, once per
// interval while it is open, and when it ends. The interval must be greater
// than 0. Pass it to [grpc.ChainStreamInterceptor].
func LogStreams(logger *slog.Logger, interval time.Duration) grpc.StreamServerInterceptor {
	var opened atomic.Int64
	return func(
		srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) (err error) {
		s := &loggedStream{ServerStream: stream, began: time.Now()}
		s.log = logger.With("stream", opened.Add(1), "method", info.FullMethod)
		if p, ok := peer.FromContext(stream.Context()); ok {
			s.log = s.log.With("peer", p.Addr.String())
		}
		s.log.Info("stream opened")
		stop := s.logEvery(interval)
		err = status.Error(codes.Internal, "the handler panicked") // unless it returns
		defer func() {
			stop()
			s.log.Info("stream ended",
				append(s.state(), "code", code(err).String(), "error", err)...)
		}()
		return handler(srv, s)
	}
}

// A loggedStream counts what the handler sends and receives.
type loggedStream struct {
	grpc.ServerStream
	log            *slog.Logger
	began          time.Time
	sent, received atomic.Int64
	sending        atomic.Pointer[time.Time] // when the Send that runs began, or nil
}

func (s *loggedStream) SendMsg(m any) error {
	s.sending.Store(new(time.Now()))
	defer s.sending.Store(nil)
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.sent.Add(1)
	}
	return err
}

func (s *loggedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.received.Add(1)
	}
	return err
}

// state returns the attributes of a line. If Send runs, blocked is for how
// long.
func (s *loggedStream) state() []any {
	attrs := []any{"age", since(s.began),
		"sent", s.sent.Load(), "received", s.received.Load()}
	if began := s.sending.Load(); began != nil {
		attrs = append(attrs, "blocked", since(*began))
	}
	return attrs
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }

// logEvery logs the state once per interval until stop is called. After stop
// has returned, it logs nothing.
func (s *loggedStream) logEvery(interval time.Duration) (stop func()) {
	ended := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				s.log.Info("stream open", s.state()...)
			}
		}
	})
	return func() { close(ended); ticking.Wait() }
}

// code returns the code that grpc-go sends to the client for the error of a
// handler.
func code(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}
