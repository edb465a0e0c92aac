package logs

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// serveUntil is a short form of Server.ServeUntil in internal/serve.
func serveUntil(ctx context.Context, listener net.Listener, log *Log) error {
	s := grpc.NewServer()
	logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	select {
	case err := <-served: // the listener has failed
		return err
	case <-ctx.Done(): // Ctrl-C, if main got ctx from signal.NotifyContext
	}
	log.Drain()                                      // followers receive the rest, then Unavailable
	timeout := time.AfterFunc(5*time.Second, s.Stop) // cancels the calls that are still open
	s.GracefulStop()                                 // refuses new calls, waits for open ones
	timeout.Stop()
	return <-served
}

func TestServeUntil_EndsWithItsFollowers(t *testing.T) {
	for name, tt := range map[string]struct {
		reads bool
		want  time.Duration
	}{
		"a follower that reads":         {true, 0},
		"a follower that does not read": {false, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				listener := bufconn.Listen(64 << 10)
				log := NewLog(1000)
				ended := make(chan error, 1)
				go func() { ended <- serveUntil(ctx, listener, log) }()
				conn, err := grpc.NewClient("passthrough:///in-process",
					grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
						return listener.DialContext(ctx)
					}), grpc.WithTransportCredentials(insecure.NewCredentials()))
				require.NoError(t, err)
				defer conn.Close()
				client := logsv1.NewLogServiceClient(conn)
				stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
				require.NoError(t, err)
				received := make(chan error, 1)
				receive := func() {
					var err error
					for err == nil {
						_, err = stream.Recv()
					}
					received <- err
				}
				if tt.reads {
					go receive()
				}
				for range 1000 {
					log.Append(strings.Repeat("x", MaxLine), false)
				}
				synctest.Wait() // until the handler waits, for an entry or in Send

				start := time.Now()
				stop()

				require.NoError(t, <-ended)
				require.Equal(t, tt.want, time.Since(start))
				if !tt.reads {
					receive()
				}
				err = <-received
				require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
				if tt.reads {
					require.Equal(t, "shutting down; resume after 1000", status.Convert(err).Message())
				}
			})
		})
	}
}
