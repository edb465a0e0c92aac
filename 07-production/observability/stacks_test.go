package observability

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// Handlers, and what a client does, in the stacks below.

func followLog(stream grpc.ServerStream) error {
	return (&logs.LogServer{Log: logs.NewLog(1)}).StreamLogs(everything,
		&grpc.GenericServerStream[logsv1.LogRequest, logsv1.LogEntry]{ServerStream: stream})
}

func waitOnly(stream grpc.ServerStream) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func headerThenWait(stream grpc.ServerStream) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	return waitOnly(stream)
}

func receive(stream interface{ RecvMsg(any) error }) error {
	for {
		if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
			return err
		}
	}
}

func send(stream interface{ SendMsg(any) error }) error {
	for {
		if err := stream.SendMsg(wrapperspb.Bytes(make([]byte, 1<<10))); err != nil {
			return err
		}
	}
}

var bidi = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

func open(t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	stream, err := conn.NewStream(t.Context(), bidi, "/any/Method")
	require.NoError(t, err)
	return stream
}

func openOnly(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
	t.Helper()
	open(t, conn)
}

func openAndReceive(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
	t.Helper()
	stream := open(t, conn)
	go func() { _ = receive(stream) }()
}

// A stack is what a goroutine looks like that waits in or for a stream.
type stack struct {
	frames  []string // in this order, and what calls them
	waits   string   // what the goroutine waits for
	page    string   // of the pitfall that this may be
	handler func(grpc.ServerStream) error
	client  func(*testing.T, memservertest.Server, *grpc.ClientConn)
}

var stacks = []stack{{
	[]string{"logs.(*Log).wait", "logs.(*LogServer).StreamLogs"},
	"the next entry: a healthy follower", "",
	followLog, openOnly,
}, {
	[]string{"transport.(*writeQuota).get", "grpc.(*serverStream).SendMsg"},
	"the client, which does not read", "slow-subscriber",
	func(s grpc.ServerStream) error { return send(s) }, openOnly,
}, {
	[]string{"transport.(*recvBufferReader).readMessageHeader", "grpc.(*serverStream).RecvMsg"},
	"the client, which neither sends nor closes", "missing-closesend",
	func(s grpc.ServerStream) error { return receive(s) }, openOnly,
}, {
	[]string{"sync.(*Cond).Wait", "grpc.(*Server).GracefulStop"},
	"the last handler", "graceful-stop",
	waitOnly,
	func(t *testing.T, s memservertest.Server, conn *grpc.ClientConn) {
		open(t, conn)
		synctest.Wait()
		go s.GracefulStop()
	},
}, {
	[]string{"transport.(*ClientStream).waitOnHeader", "grpc.(*clientStream).RecvMsg"},
	"the header and the first message", "dead-peer",
	waitOnly, openAndReceive,
}, {
	[]string{"transport.(*recvBufferReader).readMessageHeaderClient", "grpc.(*clientStream).RecvMsg"},
	"the next message, or the end; the header has arrived", "missing-closesend",
	headerThenWait, openAndReceive,
}, {
	[]string{"transport.(*ClientStream).waitOnHeader", "grpc.(*clientStream).Header"},
	"a header that the server has not sent", "header-blocks",
	waitOnly,
	func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
		stream := open(t, conn)
		go func() { _, _ = stream.Header() }()
	},
}, {
	[]string{"transport.(*writeQuota).get", "grpc.(*clientStream).SendMsg"},
	"the server, which does not read", "send-before-recv",
	waitOnly,
	func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
		stream := open(t, conn)
		go func() { _ = send(stream) }()
	},
}, {
	[]string{"grpc.newClientStreamWithParams.func4"},
	"the end of a stream; there is one for each open stream", "abandoned-stream",
	waitOnly, openOnly,
}, {
	[]string{"transport.(*http2Client).NewStream", "grpc.(*ClientConn).NewStream"},
	"another stream to end: the server allows no more", "stream-quota",
	waitOnly,
	func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
		for range maxStreams {
			open(t, conn)
		}
		go func() { _, _ = conn.NewStream(t.Context(), bidi, "/any/Method", grpc.WaitForReady(true)) }()
	},
}, {
	[]string{"grpc.(*pickerWrapper).pick", "grpc.(*ClientConn).NewStream"},
	"a connection, with `WaitForReady`", "",
	waitOnly,
	func(t *testing.T, s memservertest.Server, conn *grpc.ClientConn) {
		open(t, conn)
		s.Stop()
		go func() { _, _ = conn.NewStream(t.Context(), bidi, "/any/Method", grpc.WaitForReady(true)) }()
	},
}}

// maxStreams is how many streams the server of a stack allows.
const maxStreams = 4

func TestStacks_ShowWhatAStreamWaitsFor(t *testing.T) {
	for _, tt := range stacks {
		t.Run(strings.Join(tt.frames, " "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {}, grpc.MaxConcurrentStreams(maxStreams),
					grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error { return tt.handler(s) }))
				tt.client(t, server, server.Dial(t))
				synctest.Wait()
				all := memservertest.Goroutines()
				require.Equal(t, 1, count(all, tt.frames...), "in\n%s", strings.Join(all, "\n\n"))
			})
		})
	}
}

func TestStacks_AreInThePage(t *testing.T) {
	table := "| the stack holds | the goroutine waits for | pitfall |\n|---|---|---|\n"
	for _, s := range stacks {
		see := "none"
		if s.page != "" {
			see = fmt.Sprintf("[%s](../../06-pitfalls/%[1]s/README.md)", s.page)
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", strings.Join(s.frames, "`<br>`"), s.waits, see)
	}
	golden.Section(t, "README.md", "stacks", table)
}

// count returns how many stacks hold all frames, in this order.
func count(stacks []string, frames ...string) (n int) {
	for _, stack := range stacks {
		found := true
		for _, f := range frames {
			_, rest, ok := strings.Cut(stack, f)
			found, stack = found && ok, rest
		}
		if found {
			n++
		}
	}
	return n
}

func TestStacks_AnAbandonedStreamLeavesOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Dial(t, register(logs.NewLog(10)))
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			follow(ctx, t, conn, 0)
		}
		synctest.Wait()
		require.Equal(t, 5, count(memservertest.Goroutines(), "grpc.newClientStreamWithParams.func4("))
		require.Zero(t, count(memservertest.Goroutines(), "grpc.(*clientStream).RecvMsg("))
		require.Equal(t, 5, count(memservertest.Goroutines(), "logs.(*Log).wait("), "on the server")
		cancel()
		synctest.Wait()
		require.Zero(t, count(memservertest.Goroutines(), "grpc.newClientStreamWithParams.func4("))
		require.Zero(t, count(memservertest.Goroutines(), "logs.(*Log).wait("))
	})
}

func TestGoroutineProfile_CountsEqualStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Dial(t, register(logs.NewLog(10)))
		for range 7 {
			follow(t.Context(), t, conn, 0)
		}
		synctest.Wait()
		var out bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&out, 1))
		require.Equal(t, 1, strings.Count(out.String(), "logs.(*Log).wait+"), out.String())
		require.Regexp(t, `(?m)^7 @ .*\n(#.*\n)*#.*logs\.\(\*Log\)\.wait\+`, out.String())
	})
}
