package unary

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

func TestWire_CallIsFiveFrames(t *testing.T) {
	wiretest.Frames(t, "testdata/call.txt", func(t *testing.T, tap *wire.Tap) {
		server := memservertest.Serve(t, register(&slowFS{
			FS: file("one\ntwo\nthree\n"), delay: 100 * time.Millisecond,
		}))
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := Lines(ctx, snapshotv1.NewSnapshotServiceClient(conn), 2)
		require.NoError(t, err)
	})
}
