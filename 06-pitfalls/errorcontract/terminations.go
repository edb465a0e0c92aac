package errorcontract

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A termination is a way in which an RPC ends. Its function end ends the RPC,
// and returns the error of the call that does so, if a call does. end is not
// called if there is neither a handler nor a peer.
type termination struct {
	name          string
	beforeFirst   bool        // the RPC ends before its first message
	largeRequest  bool        // the client sends a large message first
	unregistered  bool        // the server does not have the service
	process       bool        // the server is a process of its own
	timeout       bool        // the RPC has a deadline
	nobody        bool        // the server does not listen
	unopened      bool        // no stream is opened before the call
	hello         string      // what a peer sends that does not speak HTTP/2
	answer        func(*peer) // what a peer does to end the RPC
	virtual       string      // why it is observed in virtual time only
	serverOptions []grpc.ServerOption
	dialOptions   []grpc.DialOption
	fails         string   // the call that fails and so ends the RPC
	races         []string // the calls whose result depends on a race
	end           func(*fixture) error
}

var handlerCallNames = []string{"handler Recv", "handler Send", "handler Context"}

var terminations = []termination{
	{name: "OK", end: handlerDoes(sendLast)},
	{name: "status before the first message", beforeFirst: true, end: handlerDoes(returnNotFound)},
	{name: "status between messages", end: handlerDoes(returnNotFound)},
	{name: "status after the last message", end: handlerDoes(sendLastThenNotFound)},
	{name: "client cancel", end: cancel},
	{name: "deadline", timeout: true, races: handlerCallNames, end: passDeadline},
	{name: "handler panic, recovered", serverOptions: interceptor(recovering), end: handlerDoes(panicBoom)},
	{name: "handler panic, not recovered", process: true, end: killedByPanic},
	{name: "connection closed", end: func(f *fixture) error { f.network.Conn().Drop(); return nil }},
	{name: "server Stop", end: func(f *fixture) error { go f.server.Stop(); return nil }},
	{name: "server GracefulStop", end: func(f *fixture) error { go f.server.GracefulStop(); return nil }},
	{name: "too large for the client to send", largeRequest: true, fails: "Send",
		dialOptions: callOption(grpc.MaxCallSendMsgSize(limit)), end: sendLarge},
	{name: "too large for the server to receive", largeRequest: true, fails: "handler Recv",
		serverOptions: []grpc.ServerOption{grpc.MaxRecvMsgSize(limit)}, end: handlerRecvLarge},
	{name: "too large for the server to send", fails: "handler Send",
		serverOptions: []grpc.ServerOption{grpc.MaxSendMsgSize(limit)}, end: handlerSendLarge},
	{name: "too large for the client to receive", fails: "Recv", races: []string{"handler Recv"},
		dialOptions: callOption(grpc.MaxCallRecvMsgSize(limit)), end: recvLarge},
	{name: "Unimplemented", beforeFirst: true, unregistered: true},
	{name: "auth refused", beforeFirst: true, serverOptions: interceptor(refusing)},
	{name: "send after half-close", fails: "Send", races: []string{"handler Recv"}, end: sendAfterHalfClose},
}

// runs returns how often a call is observed. Each result of a race comes in
// about half of the runs.
func (t termination) runs(call string) int {
	if slices.Contains(t.races, call) {
		return 30
	}
	return 1
}

var notFound = status.Error(codes.NotFound, "no such number")

// handlerDoes returns a function that makes the handler end the RPC.
func handlerDoes(act func(*serverEnd) error) func(*fixture) error {
	return func(f *fixture) error {
		select {
		case f.acts <- act:
			<-f.acted
		case <-time.After(f.patience):
			f.must(errors.New("no handler waits"))
		}
		return nil
	}
}

func returnNotFound(*serverEnd) error { return notFound }

func sendLast(h *serverEnd) error { return h.send(small) }

func sendLastThenNotFound(h *serverEnd) error { return cmp.Or(h.send(small), notFound) }

func panicBoom(*serverEnd) error { panic("boom") }

// passDeadline lets the client's RST_STREAM reach the server before the
// server's own timer fires. The server's timer is the later one, because the
// header rounds the timeout up to 1.000001 s. In every other run, the
// RST_STREAM is lost.
func passDeadline(f *fixture) error {
	if f.run%2 == 1 {
		f.network.Conn().HalfOpen()
	}
	<-f.ctx.Done()
	time.Sleep(time.Millisecond)
	return nil
}

func sendLarge(f *fixture) error { return f.client.send(large) }

func handlerRecvLarge(f *fixture) error {
	f.must(f.client.send(large))
	return f.handler.recv()
}

func handlerSendLarge(f *fixture) error { return f.handler.send(large) }

func recvLarge(f *fixture) error {
	f.must(f.handler.send(large))
	f.settle()
	return f.client.recv()
}

func sendAfterHalfClose(f *fixture) error {
	f.must(f.client.CloseSend())
	f.settle()
	return f.client.SendMsg(nil)
}

func interceptor(i grpc.StreamServerInterceptor) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.StreamInterceptor(i)}
}

func callOption(o grpc.CallOption) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(o)}
}

func recovering(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Error(codes.Internal, "the handler panicked")
		}
	}()
	return next(srv, ss)
}

func refusing(_ any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
	ss.SetTrailer(metadata.Pairs("served-by", "interceptor"))
	return status.Error(codes.Unauthenticated, "no token")
}
