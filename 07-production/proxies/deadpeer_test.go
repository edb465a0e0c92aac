package proxies

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/faultnet"
)

// watchedService says when its handler has ended.
type watchedService struct {
	logsv1.LogServiceServer
	ended chan struct{}
}

func (s *watchedService) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	defer func() { s.ended <- struct{}{} }()
	return s.LogServiceServer.StreamLogs(req, stream)
}

// The proxy answers the client's PINGs, although the server is gone.
func TestDeadServer_IsHiddenFromPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, oneEntry())
		network := faultnet.New(server.DialContext)
		client := behind(t, &Proxy{Dial: network.DialContext}, server, clientPings)
		time.AfterFunc(time.Second, func() { network.Conn().HalfOpen() })

		messages, lived, err := read(endsAfter(t, time.Hour), client, withBookmarks)

		require.EqualError(t, err, canceled, "nobody but the test ends the stream")
		require.Equal(t, time.Hour, lived)
		require.Equal(t, 1, messages)
	})
}

func TestDeadServer_IsNoticedWithoutBookmarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &watchedService{oneEntry(), make(chan struct{}, 1)}
		server := serve(t, service, serverPings)
		network := faultnet.New(server.DialContext)
		client := behind(t, &Proxy{Dial: network.DialContext}, server)
		time.AfterFunc(100*time.Second, func() { network.Conn().HalfOpen() }) // the last bookmark came at 90 s

		_, lived, err := read(endsAfter(t, time.Hour), &Watchdog{client, 40 * time.Second}, withBookmarks)

		require.EqualError(t, err, "rpc error: code = DeadlineExceeded desc = the server sent nothing for 40s")
		require.Equal(t, 130*time.Second, lived)
		select {
		case <-service.ended: // by the server's own PING
		default:
			require.Fail(t, "the handler still runs")
		}
	})
}

// The proxy answers the server's PINGs, although the client is gone. Here only
// the proxy ends such a stream.
func TestDeadClient_IsHiddenFromTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &watchedService{oneEntry(), make(chan struct{}, 1)}
		proxy := start(t, &Proxy{Age: time.Hour}, serve(t, service, serverPings))
		network := faultnet.New(proxy.DialContext)
		stream, err := proxy.client(t, grpc.WithContextDialer(network.DialContext)).StreamLogs(t.Context(), follow)
		require.NoError(t, err)
		start := time.Now()
		_, err = stream.Recv()
		require.NoError(t, err)
		network.Conn().HalfOpen()

		<-service.ended
		require.Equal(t, time.Hour, time.Since(start), "the connection's age, and nothing else")
	})
}
