package docs_test

import (
	"context"
	"io"
	"net"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// A withoutStub does not embed UnimplementedLogServiceServer, and compiles.
type withoutStub struct{ logsv1.UnsafeLogServiceServer }

func (withoutStub) StreamLogs(*logsv1.LogRequest, grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return nil
}

func TestUnimplemented_NeedNotBeEmbedded(t *testing.T) {
	server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, withoutStub{})
	})
	stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.EqualError(t, err, "EOF")
}

// The compiler accepts a nil stream, as it accepts any nil interface.
func TestNilStream_PanicsWithoutTalkOfMaps(t *testing.T) {
	var stream grpc.ServerStreamingServer[logsv1.LogEntry]
	require.PanicsWithError(t, "runtime error: invalid memory address or nil pointer dereference", func() {
		_ = stream.Send(&logsv1.LogEntry{})
	})
}

// Other languages have these methods, and Go has not.
func TestStream_HasNoMethodsOfOtherLanguages(t *testing.T) {
	server, client := reflect.TypeFor[grpc.ServerStream](), reflect.TypeFor[grpc.ClientStream]()
	for _, tt := range []struct {
		stream reflect.Type
		method string
	}{{server, "CloseSend"}, {server, "IsReady"}, {client, "IsReady"}, {client, "Cancel"}} {
		_, ok := tt.stream.MethodByName(tt.method)
		require.False(t, ok, "%v has %s", tt.stream, tt.method)
	}
	_, ok := client.MethodByName("CloseSend")
	require.True(t, ok)
}

// A silent server sends nothing for a day, and then ends the stream.
type silent struct{ logsv1.UnsafeLogServiceServer }

func (silent) StreamLogs(*logsv1.LogRequest, grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	time.Sleep(24 * time.Hour)
	return nil
}

func TestRecv_WaitsForASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
			logsv1.RegisterLogServiceServer(s, silent{})
		})
		start := time.Now()
		stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 24*time.Hour, time.Since(start), "until the handler returned nil")
	})
}

func TestServe_ReturnsAfterStopOrAFailure(t *testing.T) {
	for name, end := range map[string]func(*grpc.Server, net.Listener){
		"Stop":                    func(s *grpc.Server, _ net.Listener) { s.Stop() },
		"GracefulStop":            func(s *grpc.Server, _ net.Listener) { s.GracefulStop() },
		"failure of the listener": func(_ *grpc.Server, l net.Listener) { _ = l.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, l := grpc.NewServer(), bufconn.Listen(1)
				defer s.Stop()
				served := make(chan error, 1)
				go func() { served <- s.Serve(l) }()
				time.Sleep(24 * time.Hour)
				require.Empty(t, served, "Serve has not returned")
				end(s, l)
				require.Equal(t, name == "failure of the listener", <-served != nil)
			})
		})
	}
}

func TestUnaryCalls_ShareOneConnection(t *testing.T) {
	server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
		(&feed{grown: make(chan struct{})}).register(s)
	})
	var dials atomic.Int32
	conn := server.Dial(t, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		dials.Add(1)
		return server.DialContext(ctx, addr)
	}))
	require.Zero(t, dials.Load(), "before the first call")
	for range 100 {
		line := new(wrapperspb.UInt64Value)
		require.NoError(t, conn.Invoke(t.Context(), "/docs.Feed/Now", line, line))
	}
	require.EqualValues(t, 1, dials.Load(), "connections for 100 calls")
}
