package bidi

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// The window of a connection grows while somebody reads from it. After that,
// also a stream that nobody reads may be sent more. ServerOptions forbid it.
func TestWindow_OfAWarmConnectionIsLarger(t *testing.T) {
	for name, tt := range map[string]struct {
		options  []grpc.ServerOption
		warm     int   // KiB that were read before
		min, max int64 // KiB that can be sent to a handler that does not read
	}{
		"fresh":               {nil, 0, 128, 192},
		"warm":                {nil, 5 << 10, 256, 17 << 10},
		"warm, ServerOptions": {ServerOptions(), 5 << 10, 128, 129},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.Serve(t, register(stub{OnChat: func(stream serverStream) error {
					for {
						msg, err := stream.Recv()
						if err != nil {
							return err
						}
						if msg.GetJoin() != nil { // stop reading
							<-stream.Context().Done()
						}
					}
				}}), tt.options...)
				client := chatv1.NewChatServiceClient(server.Dial(t))
				reading := open(t, client)
				for range tt.warm {
					reading.send(kilobyte)
				}
				stalled := open(t, client)
				stalled.send(joinMessage("", "go", "ann"))
				var sent atomic.Int64
				ended := make(chan error, 1)
				go func() { ended <- flood(stalled.stream.Send, &sent) }()
				synctest.Wait()
				require.Empty(t, ended, "the client is still in Send")
				require.GreaterOrEqual(t, sent.Load(), tt.min)
				require.LessOrEqual(t, sent.Load(), tt.max)
				stalled.cancel()
				require.Error(t, <-ended)
			})
		})
	}
}
