package logs

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// A follower that does not read holds what gRPC has encoded for it, and the
// batch of its handler, even after the log has dropped those entries.
func TestStreamLogs_UnreadStreamTakesABoundedHeap(t *testing.T) {
	const followers = 50
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(100)
		conn := memservertest.Serve(t, register(&LogServer{Log: log})).
			Dial(t, grpc.WithStaticStreamWindowSize(64<<10))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 100 {
			log.Append(strings.Repeat("x", MaxLine), false)
		}
		before := heap()
		for range followers {
			_, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
			require.NoError(t, err)
			synctest.Wait() // until the handler is blocked in Send
			for range 100 {
				log.Append(strings.Repeat("x", MaxLine), false)
			}
		}
		perStream := (heap() - before) / followers
		t.Logf("%d KiB a stream", perStream>>10)
		stacks := strings.Join(memservertest.Goroutines(), "\n")
		require.Equal(t, followers, strings.Count(stacks, "writeQuota).get("), "handlers blocked in Send")
		require.Less(t, perStream, 768<<10)
	})
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one leaves what is in a sync.Pool
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
