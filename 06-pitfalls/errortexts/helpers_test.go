package errortexts

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

type (
	countServer = grpc.ServerStreamingServer[pitfallsv1.Number]
	sumServer   = grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]
	echoServer  = grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]
	echoClient  = grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number]
)

// bubble returns a producer that runs f in a bubble.
func bubble(f func(*testing.T) error) func(*testing.T) string {
	return func(t *testing.T) (text string) {
		synctest.Test(t, func(t *testing.T) { text = f(t).Error() })
		return text
	}
}

// counting returns a producer of the error with which a Count ends whose
// handler is handle.
func counting(handle func(countServer) error, opts ...grpc.DialOption) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream countServer) error { return handle(stream) },
		}, opts...)
		return count(t.Context(), client)
	})
}

// handling returns a producer of the error that a handler of Echo meets
// when its connection is closed.
func handling(handle func(echoServer) error) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		met := make(chan error, 1)
		client, network := pitfalltest.DialFaulty(t, &service.Server{OnEcho: func(stream echoServer) error {
			met <- handle(stream)
			return nil
		}})
		openEcho(t, client)
		network.Conn().Drop()
		return <-met
	})
}

// openEcho opens an Echo, and waits in a bubble until the server has it.
func openEcho(t *testing.T, client pitfallsv1.PitfallServiceClient) echoClient {
	t.Helper()
	stream, err := client.Echo(t.Context())
	require.NoError(t, err)
	synctest.Wait()
	return stream
}

// count calls Count and returns the error with which it ends.
func count(ctx context.Context, client pitfallsv1.PitfallServiceClient) error {
	stream, err := client.Count(ctx, &pitfallsv1.CountRequest{To: 3})
	if err != nil {
		return err
	}
	_, err = service.Values(stream)
	return err
}

// countTCP is [count] with a connection to target.
func countTCP(t *testing.T, target string, opts ...grpc.DialOption) string {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	conn, err := grpc.NewClient(target, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	err = count(pitfalltest.WithTimeout(t, 30*time.Second), pitfallsv1.NewPitfallServiceClient(conn))
	require.Error(t, err)
	return err.Error()
}

// listen returns a listener on a free port, which is closed when the test
// ends.
func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // fails if a server has closed it
	return listener
}

// hanging returns a producer of the stacks of a bubble after hang has
// returned and nothing moves.
func hanging(hang func(*testing.T)) func(*testing.T) string {
	return func(t *testing.T) (stacks string) {
		synctest.Test(t, func(t *testing.T) {
			hang(t)
			synctest.Wait()
			stacks = strings.Join(memservertest.Goroutines(), "\n\n")
		})
		return stacks
	}
}
