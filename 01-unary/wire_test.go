package unary

import (
	"bytes"
	"context"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

// The length of HEADERS changes with grpc-go's version.
func TestOnTheWireACallIsFiveFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		server := bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
			f := &counted{text: "one\ntwo\nthree\n", delay: 100 * time.Millisecond}
			snapshotv1.RegisterSnapshotServiceServer(s, &SnapshotServer{FS: oneFile{f}})
		})
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := Lines(ctx, snapshotv1.NewSnapshotServiceClient(conn), 2)
		require.NoError(t, err)

		if *update {
			require.NoError(t, os.WriteFile("testdata/call.txt", frames.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/call.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), frames.String())
	})
}
