package cancellation

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

	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

// One Tap watches both hops: what it marks #2 is the second connection, that
// of the gateway to the exchange. The gateway thinks for a second before it
// calls. The length of HEADERS changes with grpc-go's version.
func TestOnTheWireADeadlineShrinksAndACancelIsAResetOnEachHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		h := setup{
			clientNet:      tap.Dialer,
			upstreamNet:    tap.Dialer,
			gatewayOptions: []grpc.ServerOption{grpc.ChainStreamInterceptor(slowly)},
		}.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		recv(t, watch(t, ctx, h.client), 1)
		time.Sleep(500 * time.Millisecond)
		cancel()
		synctest.Wait()

		if *update {
			require.NoError(t, os.WriteFile("testdata/cancel.txt", frames.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/cancel.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), frames.String(), "go test ./05-cancellation -update rewrites it")
	})
}
