package unary

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// Of an answer that the client does not read, what exceeds its window stays in
// the server's memory.
func TestMemory_UnreadResponseTakesOneMiB(t *testing.T) {
	const calls = 10
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Serve(t, register(file(strings.Repeat(strings.Repeat("x", 103)+"\n", 2*MaxLines)))).
			Dial(t, grpc.WithStaticStreamWindowSize(64<<10))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		before := heap()
		for range calls {
			stream, err := conn.NewStream(ctx, &grpc.StreamDesc{}, snapshotv1.SnapshotService_GetSnapshot_FullMethodName)
			require.NoError(t, err)
			require.NoError(t, stream.SendMsg(&snapshotv1.SnapshotRequest{Lines: MaxLines}))
		}
		synctest.Wait() // until nothing moves
		perCall := (heap() - before) / calls
		t.Logf("%d KiB a call", perCall>>10)
		require.Greater(t, perCall, 512<<10, "the answers are waiting")
		require.Less(t, perCall, 1536<<10)
	})
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one leaves what is in a sync.Pool
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
