package logs

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// Send does not wait until the client has read a message. Send waits when
// two buffers are full: the stream's flow-control window, which holds what
// the client has not read, and the stream's write quota of 64 KiB, which
// holds what the server has not written (defaultWriteQuota in grpc-go's
// internal/transport).
func TestSend_BlocksWhenTheClientDoesNotRead(t *testing.T) {
	const kib = 1 << 10
	for _, tt := range []struct {
		name     string
		opt      grpc.DialOption
		min, max int // messages of 1 KiB, which are 1,032 bytes on the wire
	}{
		{"64 KiB of window and 64 KiB of quota", grpc.WithStaticStreamWindowSize(64 * kib), 128, 129},
		{"a larger window", grpc.WithStaticStreamWindowSize(1024 * kib), 1080, 1081},
		// By default the client doubles the window, at most once, when the
		// first 64 KiB arrive fast.
		{"by default", grpc.EmptyDialOption{}, 128, 193},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				server := memservertest.Serve(t, register(stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
					for {
						if err := stream.Send(&logsv1.LogEntry{Message: strings.Repeat("x", kib)}); err != nil {
							return err
						}
						sent++
					}
				}}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := logsv1.NewLogServiceClient(server.Dial(t, tt.opt)).StreamLogs(ctx, &logsv1.LogRequest{})
				require.NoError(t, err)

				synctest.Wait() // until the handler is blocked in Send

				require.GreaterOrEqual(t, sent, tt.min, "messages sent")
				require.LessOrEqual(t, sent, tt.max, "messages sent")
			})
		})
	}
}

// By default the window is the client's estimate for the connection. It may
// grow while a stream is read fast, and is then the window of all streams.
func TestSend_WindowGrowsWithTheConnection(t *testing.T) {
	const kib = 1 << 10
	sent := make(chan int, 1) // messages, of which each has 1 KiB
	addr := serveTCP(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
		for n := range 20_000 {
			if err := stream.Send(&logsv1.LogEntry{Message: strings.Repeat("x", kib)}); err != nil {
				return err
			}
			if n == 256 && !req.GetFollow() {
				sent <- n
			}
		}
		return nil
	}})
	for range 20 { // the estimate depends on the load of the machine
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		client := logsv1.NewLogServiceClient(conn)
		_, err = sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, 0) // reads 20 MB
		require.NoError(t, err)

		_, err = client.StreamLogs(t.Context(), &logsv1.LogRequest{}) // reads nothing
		require.NoError(t, err)
		select {
		case <-sent: // on a fresh connection, 193 at most
			return
		case <-time.After(2 * time.Second):
		}
	}
	t.Fatal("the handler was blocked before 256 messages on each connection")
}
