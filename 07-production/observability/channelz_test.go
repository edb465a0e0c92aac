package observability

import (
	"bytes"
	"context"
	"path"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	channelzv1 "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// dialChannelz serves channelz on a server of its own, as for admins.
func dialChannelz(t *testing.T) channelzv1.ChannelzClient {
	t.Helper()
	conn := memservertest.Dial(t, func(s grpc.ServiceRegistrar) { service.RegisterChannelzServiceToServer(s) })
	return channelzv1.NewChannelzClient(conn)
}

func TestSockets_CountStreamsAndMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		conn := memservertest.Dial(t, register(log))
		for range 3 {
			follow(t.Context(), t, conn, 0)
		}
		log.Append("one", false)
		synctest.Wait()
		time.Sleep(time.Hour)

		admin := dialChannelz(t)
		sockets, err := Sockets(t.Context(), admin)
		require.NoError(t, err)
		require.Len(t, sockets, 2, "of the log, and of channelz itself")
		data := sockets[0].GetData()
		require.EqualValues(t, 3, data.GetStreamsStarted())
		require.EqualValues(t, 3, data.GetMessagesSent())
		require.EqualValues(t, 3, data.GetMessagesReceived())

		var out bytes.Buffer
		require.NoError(t, PrintSockets(t.Context(), &out, admin))
		require.Contains(t, out.String(), "not-tcp -> not-tcp open=3 sent=3 received=3 last-sent=1h0m0s ago\n")
	})
}

func TestSockets_ARefusalCountsAsSucceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		conn := memservertest.Dial(t, register(log))
		ctx, cancel := context.WithCancel(t.Context())
		follow(ctx, t, conn, 0)
		synctest.Wait()
		cancel() // RST_STREAM from the client
		stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{After: 7})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorContains(t, err, "OutOfRange")
		synctest.Wait()

		admin := dialChannelz(t)
		sockets, err := Sockets(t.Context(), admin)
		require.NoError(t, err)
		data := sockets[0].GetData()
		require.EqualValues(t, 2, data.GetStreamsStarted())
		require.EqualValues(t, 1, data.GetStreamsSucceeded())
		require.EqualValues(t, 1, data.GetStreamsFailed())
		var out bytes.Buffer
		require.NoError(t, PrintSockets(t.Context(), &out, admin))
		require.Contains(t, out.String(), "not-tcp -> not-tcp open=0 sent=0 received=2 last-sent=never\n")
	})
}

func TestSockets_ReadsAllPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, register(logs.NewLog(10)))
		for range 120 { // channelz answers with 50 at most
			follow(t.Context(), t, server.Dial(t), 0)
		}
		for range 60 {
			follow(t.Context(), t, memservertest.Dial(t, register(logs.NewLog(10))), 0)
		}
		calls := map[string]int{}
		channelz := memservertest.Serve(t, func(s grpc.ServiceRegistrar) { service.RegisterChannelzServiceToServer(s) })
		conn := channelz.Dial(t, grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any,
			cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			calls[path.Base(method)]++
			return invoke(ctx, method, req, reply, cc, opts...)
		}))
		sockets, err := Sockets(t.Context(), channelzv1.NewChannelzClient(conn))
		require.NoError(t, err)
		require.Len(t, sockets, 120+60+1)
		require.Equal(t, map[string]int{"GetServers": 2, "GetServerSockets": 3 + 60 + 1, "GetSocket": 120 + 60 + 1}, calls)
	})
}

func TestSockets_NeedChannelz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Dial(t, register(logs.NewLog(10)))
		err := PrintSockets(t.Context(), new(bytes.Buffer), channelzv1.NewChannelzClient(conn))
		require.EqualError(t, err,
			"rpc error: code = Unimplemented desc = unknown service grpc.channelz.v1.Channelz")
	})
}

// closing is a channelz service whose first connection is closed while the
// client asks.
type closing struct {
	channelzv1.UnimplementedChannelzServer
}

func (closing) GetServers(context.Context, *channelzv1.GetServersRequest) (*channelzv1.GetServersResponse, error) {
	return &channelzv1.GetServersResponse{Server: []*channelzv1.Server{{}}, End: true}, nil
}

func (closing) GetServerSockets(
	context.Context, *channelzv1.GetServerSocketsRequest,
) (*channelzv1.GetServerSocketsResponse, error) {
	refs := []*channelzv1.SocketRef{{SocketId: 1}, {SocketId: 2}}
	return &channelzv1.GetServerSocketsResponse{SocketRef: refs, End: true}, nil
}

func (closing) GetSocket(_ context.Context, req *channelzv1.GetSocketRequest) (*channelzv1.GetSocketResponse, error) {
	if req.GetSocketId() == 1 {
		return nil, status.Error(codes.NotFound, "requested socket 1 not found")
	}
	return &channelzv1.GetSocketResponse{Socket: &channelzv1.Socket{}}, nil
}

func TestSockets_SkipAConnectionThatWasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Dial(t, func(s grpc.ServiceRegistrar) { channelzv1.RegisterChannelzServer(s, closing{}) })
		sockets, err := Sockets(t.Context(), channelzv1.NewChannelzClient(conn))
		require.NoError(t, err)
		require.Len(t, sockets, 1)
	})
}
