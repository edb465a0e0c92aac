package bidi

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
)

// Ann's cable is pulled. The server learns that from keepalive alone, and
// until then her name is taken.
func TestHalfOpen_NameIsFreeAfterKeepalive(t *testing.T) {
	for name, tt := range map[string]struct {
		server []grpc.ServerOption
		taken  time.Duration
	}{
		"by default": {nil, 2*time.Hour + 20*time.Second},
		"as serve.New does": {[]grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 20 * time.Second, Timeout: 10 * time.Second,
		})}, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.Serve(t, register(&ChatServer{Hub: NewHub(16)}), tt.server...)
				net := faultnet.New(server.DialContext)
				client := chatv1.NewChatServiceClient(server.Dial(t))
				bob := join(t, client, "go", "bob")
				time.Sleep(JoinPace) // so that Ann joins at once
				join(t, chatv1.NewChatServiceClient(server.Dial(t, grpc.WithContextDialer(net.DialContext))), "go", "ann")
				bob.sees("* ann joined")
				pulled := time.Now()
				net.Conn().HalfOpen()

				time.Sleep(tt.taken - time.Second)
				again := open(t, client)
				again.send(joinMessage("", "go", "ann"))
				again.ends(codes.AlreadyExists, "name: must be unique")
				bob.sees("* ann was disconnected")
				require.Equal(t, tt.taken, time.Since(pulled))
				join(t, client, "go", "ann").leave()
			})
		})
	}
}
