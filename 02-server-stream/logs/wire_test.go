package logs

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

func TestWire_CanceledFollowEndsWithRSTStream(t *testing.T) {
	wiretest.Frames(t, "testdata/follow.txt", func(t *testing.T, tap *wire.Tap) {
		log := NewLog(10)
		server := memservertest.Serve(t, register(&LogServer{Log: log}))
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, func() { log.Append("one", false) })
		time.AfterFunc(2*time.Second, func() { log.Append("two", false) })
		time.AfterFunc(2500*time.Millisecond, cancel)
		_, err := sequences(ctx, logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{Follow: true}, 0)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
	})
}
