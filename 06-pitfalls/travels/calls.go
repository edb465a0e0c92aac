package travels

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// opening is how long a client takes between a call and its first frame. The
// server's deadline is later by it.
const opening = 100 * time.Nanosecond

// dialOptions returns options that record the client's calls.
func (r *recorder) dialOptions(dial func(context.Context, string) (net.Conn, error)) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithContextDialer(dial),
		grpc.WithUnaryInterceptor(r.unaryCall),
		grpc.WithStreamInterceptor(r.openStream),
		// With dynamic windows, both sides also send a PING to measure the
		// bandwidth.
		grpc.WithStaticStreamWindowSize(64 << 10),
		grpc.WithStaticConnWindowSize(1 << 20),
	}
}

func (r *recorder) unaryCall(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	call := path.Base(method)
	r.add(client, began, "%s(ctx, req)", call)
	stop := r.watch(ctx, r.prefix(method))
	time.Sleep(opening)
	since := time.Now()
	err := invoke(ctx, method, req, reply, cc, opts...)
	stop()
	r.result(client, since, "%s: %s", call, got(reply, err))
	r.wait(client)
	return err
}

func (r *recorder) openStream(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	args := "ctx, req"
	if desc.ClientStreams {
		args = "ctx"
	}
	r.add(client, began, "%s(%s)", path.Base(method), args)
	time.Sleep(opening)
	stream, err := open(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, err
	}
	s := &clientStream{stream, r, desc, ctx, r.prefix(method), r.watch(ctx, r.prefix(method))}
	if desc.ClientStreams {
		r.wait(client)
	}
	return s, nil
}

// prefix names the RPC of a call, if the recording has several.
func (r *recorder) prefix(method string) string {
	if !r.named {
		return ""
	}
	return path.Base(method) + " "
}

// watch records that ctx ends, unless stop is called before.
func (r *recorder) watch(ctx context.Context, prefix string) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			r.add(client, ended, "%sthe deadline passes", prefix)
		} else {
			r.add(client, ended, "%scancel", prefix)
		}
	})
}

// A clientStream records the calls of the client.
type clientStream struct {
	grpc.ClientStream
	*recorder
	desc *grpc.StreamDesc
	ctx  context.Context // of the caller
	of   string          // the prefix of the calls
	stop func() bool
}

// SendMsg implements [grpc.ClientStream]. For a server stream, it is part of
// the call that opens the stream.
func (s *clientStream) SendMsg(m any) error {
	if !s.desc.ClientStreams {
		return s.ClientStream.SendMsg(m)
	}
	return s.send(client, s.of+"Send", func() error { return s.ClientStream.SendMsg(m) })
}

// CloseSend implements [grpc.ClientStream]. For a server stream, it is part of
// the call that opens the stream, and for a client stream, of CloseAndRecv.
func (s *clientStream) CloseSend() error {
	switch {
	case !s.desc.ClientStreams:
		err := s.ClientStream.CloseSend()
		s.wait(client)
		return err
	case !s.desc.ServerStreams:
		s.add(client, began, "%sCloseAndRecv", s.of)
		return s.ClientStream.CloseSend()
	}
	return s.send(client, s.of+"CloseSend", s.ClientStream.CloseSend)
}

// RecvMsg implements [grpc.ClientStream].
func (s *clientStream) RecvMsg(m any) error {
	since := time.Now()
	err := s.ClientStream.RecvMsg(m)
	if err != nil && s.ctx.Err() == nil {
		s.stop()
	}
	call := "Recv"
	if !s.desc.ServerStreams {
		call = "CloseAndRecv"
	}
	s.result(client, since, "%s%s: %s", s.of, call, got(m, err))
	s.wait(client)
	return err
}

// send records a call that sends, and its result unless that is nil at once.
func (r *recorder) send(s side, text string, call func() error) error {
	since := time.Now()
	r.add(s, began, "%s", text)
	err := call()
	switch {
	case err != nil:
		r.result(s, since, "%s: %s", text, name(err))
	case !time.Now().Equal(since):
		r.add(s, returned, "%s returns", text)
	}
	r.wait(s)
	return err
}

// serverOptions returns options that record the calls of the handlers.
func (r *recorder) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StaticStreamWindowSize(64 << 10),
		grpc.StaticConnWindowSize(1 << 20),
		grpc.UnaryInterceptor(r.handleUnary),
		grpc.StreamInterceptor(r.handleStream),
	}
}

func (r *recorder) handleUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	r.add(server, returned, "handler starts")
	r.wait(server)
	reply, err := handle(ctx, req)
	r.add(server, began, "return %s", name(err))
	return reply, err
}

func (r *recorder) handleStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	s := &serverStream{stream, r, info, r.prefix(info.FullMethod)}
	if info.IsClientStream { // otherwise, the handler starts when it has its request
		r.add(server, returned, "%shandler starts", s.of)
		r.wait(server)
	}
	err := handle(srv, s)
	r.wait(server)
	r.add(server, began, "%sreturn %s", s.of, name(err))
	return err
}

// A serverStream records the calls of the handler.
type serverStream struct {
	grpc.ServerStream
	*recorder
	info *grpc.StreamServerInfo
	of   string // the prefix of the calls
}

// SendMsg implements [grpc.ServerStream].
func (s *serverStream) SendMsg(m any) error {
	call := "Send"
	if !s.info.IsServerStream {
		call = "SendAndClose"
	}
	return s.send(server, s.of+call, func() error { return s.ServerStream.SendMsg(m) })
}

// RecvMsg implements [grpc.ServerStream].
func (s *serverStream) RecvMsg(m any) error {
	since := time.Now()
	err := s.ServerStream.RecvMsg(m)
	if s.info.IsClientStream {
		s.result(server, since, "%sRecv: %s", s.of, got(m, err))
	} else {
		s.add(server, returned, "%shandler starts", s.of)
	}
	s.wait(server)
	return err
}

// got returns the result of a call that receives, in a word.
func got(m any, err error) string {
	if err != nil {
		return name(err)
	}
	if n, ok := m.(*pitfallsv1.Number); ok {
		return fmt.Sprintf("%d", n.GetValue())
	}
	return "response"
}
