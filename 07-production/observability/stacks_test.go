package observability

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/02-server-stream/logs"
	"example.com/streams/internal/memserver/memservertest"
)

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

func receiveOnly(stream grpc.ServerStream) error {
	for {
		if err := stream.RecvMsg(new(wrapperspb.BytesValue)); err != nil {
			return err
		}
	}
}

func sendOnly(stream interface{ SendMsg(any) error }) error {
	for {
		if err := stream.SendMsg(wrapperspb.Bytes(make([]byte, 1<<10))); err != nil {
			return err
		}
	}
}

// open opens a bidirectional stream.
func open(t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(t.Context(), desc, "/any/Method")
	require.NoError(t, err)
	return stream
}

// Each case opens streams that wait. A stack of the process must then hold
// the frames of want, in this order.
var stacks = map[string]struct {
	handler func(grpc.ServerStream) error
	client  func(*testing.T, memservertest.Server, *grpc.ClientConn)
	want    []string
}{
	"server: Send": {
		func(s grpc.ServerStream) error { return sendOnly(s) },
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) { open(t, conn) },
		[]string{"transport.(*writeQuota).get(", "grpc.(*serverStream).SendMsg("},
	},
	"server: Recv": {
		receiveOnly,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) { open(t, conn) },
		[]string{"transport.(*recvBufferReader).readMessageHeader(", "grpc.(*serverStream).RecvMsg("},
	},
	"server: GracefulStop": {
		waitOnly,
		func(t *testing.T, s memservertest.Server, conn *grpc.ClientConn) {
			open(t, conn)
			synctest.Wait()
			go s.GracefulStop()
		},
		[]string{"sync.(*Cond).Wait(", "grpc.(*Server).GracefulStop("},
	},
	"client: Send": {
		waitOnly,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
			stream := open(t, conn)
			go func() { _ = sendOnly(stream) }()
		},
		[]string{"transport.(*writeQuota).get(", "grpc.(*clientStream).SendMsg("},
	},
	"client: Recv, nothing yet": {
		waitOnly,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
			stream := open(t, conn)
			go func() { _ = stream.RecvMsg(new(wrapperspb.BytesValue)) }()
		},
		[]string{"transport.(*ClientStream).waitOnHeader(", "grpc.(*clientStream).RecvMsg("},
	},
	"client: Recv, nothing more": {
		headerThenWait,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
			stream := open(t, conn)
			go func() { _ = stream.RecvMsg(new(wrapperspb.BytesValue)) }()
		},
		[]string{"transport.(*recvBufferReader).readMessageHeaderClient(", "grpc.(*clientStream).RecvMsg("},
	},
	"client: Header": {
		waitOnly,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
			stream := open(t, conn)
			go func() { _, _ = stream.Header() }()
		},
		[]string{"transport.(*ClientStream).waitOnHeader(", "grpc.(*clientStream).Header("},
	},
	"client: too many streams": {
		waitOnly,
		func(t *testing.T, _ memservertest.Server, conn *grpc.ClientConn) {
			for range 4 { // the server allows 4
				open(t, conn)
			}
			go func() { _, _ = conn.NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Method") }()
		},
		[]string{"transport.(*http2Client).NewStream(", "grpc.(*ClientConn).NewStream("},
	},
	"client: no server": {
		waitOnly,
		func(t *testing.T, s memservertest.Server, conn *grpc.ClientConn) {
			open(t, conn)
			s.Stop()
			go func() { _, _ = conn.NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Method", grpc.WaitForReady(true)) }()
		},
		[]string{"grpc.(*pickerWrapper).pick(", "grpc.(*ClientConn).NewStream("},
	},
}

func TestStacks_ShowWhatAStreamWaitsFor(t *testing.T) {
	for name, tt := range stacks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {}, grpc.MaxConcurrentStreams(4),
					grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error { return tt.handler(s) }))
				tt.client(t, server, server.Dial(t))
				synctest.Wait()
				require.Equal(t, 1, count(memservertest.Goroutines(), tt.want...),
					strings.Join(memservertest.Goroutines(), "\n\n"))
			})
		})
	}
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
