package errorcontract

import (
	"cmp"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An ending is a way in which a stream ends. Its end makes it so and
// returns the error of the call that does it, if that is a call.
type ending struct {
	name          string
	first         bool // it comes before the first message
	up            bool // a large message goes up
	unregistered  bool // the server does not have the service
	process       bool // the server is a process of its own
	timeout       time.Duration
	serverOptions []grpc.ServerOption
	dialOptions   []grpc.DialOption
	fails         string // the call that fails and so ends the stream
	end           func(*scene) error
}

var endings = []ending{
	{name: "OK", end: lastMessageThen(nil)},
	{name: "status before the first message", first: true, end: returning(notFound)},
	{name: "status between messages", end: returning(notFound)},
	{name: "status after the last message", end: lastMessageThen(notFound)},
	{name: "client cancel", end: func(sc *scene) error { sc.cancel(); return nil }},
	{name: "deadline", timeout: time.Second + time.Nanosecond, end: passDeadline},
	{name: "handler panic, recovered", serverOptions: interceptor(recovering), end: panicking},
	{name: "handler panic, not recovered", process: true, end: dying},
	{name: "connection cut", end: func(sc *scene) error { return sc.link.Close() }},
	{name: "server Stop", end: func(sc *scene) error { go sc.server.Stop(); return nil }},
	{name: "server GracefulStop", end: func(sc *scene) error { go sc.server.GracefulStop(); return nil }},
	{name: "too large for the client to send", up: true, fails: "Send",
		dialOptions: callOption(grpc.MaxCallSendMsgSize(limit)), end: sendLarge},
	{name: "too large for the server to receive", up: true, fails: "handler Recv",
		serverOptions: []grpc.ServerOption{grpc.MaxRecvMsgSize(limit)}, end: handlerRecvLarge},
	{name: "too large for the server to send", fails: "handler Send",
		serverOptions: []grpc.ServerOption{grpc.MaxSendMsgSize(limit)}, end: handlerSendLarge},
	{name: "too large for the client to receive", fails: "Recv",
		dialOptions: callOption(grpc.MaxCallRecvMsgSize(limit)), end: recvLarge},
	{name: "Unimplemented", first: true, unregistered: true, end: nothing},
	{name: "auth refused", first: true, serverOptions: interceptor(refusing), end: nothing},
	{name: "send after half-close", fails: "Send", end: sendAfterHalfClose},
}

var notFound = status.Error(codes.NotFound, "no such number")

func nothing(*scene) error { return nil }

func returning(err error) func(*scene) error {
	return func(sc *scene) error {
		sc.acts <- func() error { return err }
		return nil
	}
}

func lastMessageThen(err error) func(*scene) error {
	return func(sc *scene) error {
		sc.acts <- func() error { return cmp.Or(sc.handler.send(small), err) }
		return nil
	}
}

func panicking(sc *scene) error {
	sc.acts <- func() error { panic("boom") }
	return nil
}

// passDeadline lets the client's RST_STREAM reach the server before the
// server's own timer fires, and every other time after it. The server's
// timer is the later one: the header rounds the timeout up to 1.000001 s.
func passDeadline(sc *scene) error {
	if sc.run%2 == 1 {
		sc.link.writing <- struct{}{}
		defer func() { <-sc.link.writing }()
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	return nil
}

func sendLarge(sc *scene) error {
	if sc.client == nil { // the request was too large
		return nil
	}
	return sc.client.send(large)
}

func handlerRecvLarge(sc *scene) error {
	if sc.handler == nil { // it did not get the request
		return nil
	}
	sc.must(sc.client.send(large))
	return sc.handler.recv()
}

func handlerSendLarge(sc *scene) error { return sc.handler.send(large) }

func recvLarge(sc *scene) error {
	sc.must(sc.handler.send(large))
	synctest.Wait()
	return sc.client.recv()
}

func sendAfterHalfClose(sc *scene) error {
	sc.must(sc.client.CloseSend())
	synctest.Wait()
	return sc.client.SendMsg(nil)
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
