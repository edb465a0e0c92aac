package logs

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

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
		// first 64 KiB arrive fast. This is a fresh connection: one that
		// has carried more data may have a larger window.
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
