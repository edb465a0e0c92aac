package memory_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/07-production/memory/internal/measure"
	"example.com/streams/internal/golden"
)

// The bounds are KiB of heap and stacks on both sides, over TCP.
var (
	idleStream     = [2]int64{8, 32}
	idleConnection = [2]int64{32, 128} // with one stream
	ownBuffer      = int64(24)         // what SharedWriteBuffer(false) adds, at least
)

func TestIdle_StreamTakesLessThanAConnection(t *testing.T) {
	stream := idle(t, 1, 500, true) / 500
	connection := idle(t, 100, 1, true) / 100
	own := idle(t, 100, 1, false) / 100
	t.Logf("KiB: stream %d, connection %d, with its own write buffer %d", stream, connection, own)
	requireBetween(t, idleStream, stream)
	requireBetween(t, idleConnection, connection)
	require.Less(t, stream, connection)
	require.GreaterOrEqual(t, own, connection+ownBuffer)
	golden.Section(t, "README.md", "idle", fmt.Sprintf("| Idle | Heap and stacks, client and server together |\n|---|---|\n"+
		"| a stream on a connection that is there | %d to %d KiB |\n"+
		"| a connection with one stream | %d to %d KiB |\n"+
		"| the same with `SharedWriteBuffer(false)` on both sides | at least %d KiB more |\n",
		idleStream[0], idleStream[1], idleConnection[0], idleConnection[1], ownBuffer))
}

func idle(t *testing.T, connections, streams int, shared bool) int64 {
	t.Helper()
	bytes, err := measure.Idle(t.Context(), connections, streams, shared)
	require.NoError(t, err)
	return bytes / kib
}
