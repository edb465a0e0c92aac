package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/07-production/memory"
	"example.com/streams/07-production/memory/internal/measure"
	"example.com/streams/internal/golden"
)

// A log of 500 messages of 1,200 bytes has 586 KiB. The streams with default
// windows would take more if the log had more.
var gateways = []struct {
	windows string
	opts    []grpc.DialOption
	sent    [2]int64 // KiB a stream
	heap    [2]int64 // KiB a stream
}{
	{"defaults", nil, [2]int64{580, 590}, [2]int64{1536, 2560}},
	{"64 KiB, static", memory.DialOptions(), [2]int64{120, 130}, [2]int64{256, 640}},
}

func TestUnread_StaticWindowsLimitTheHeap(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| Windows of the gateway | Sent to a stream | Heap of a stream |\n|---|---|---|")
	for _, tt := range gateways {
		t.Run(tt.windows, func(t *testing.T) {
			held := unread(t, measure.Unread{Streams: 50, Entries: 500, MessageSize: 1200}, tt.opts...)
			requireBetween(t, tt.sent, held.Sent/kib)
			requireBetween(t, tt.heap, held.Heap/kib)
		})
		fmt.Fprintf(table, "| %s | %d to %d KiB | %d to %d KiB |\n", tt.windows,
			tt.sent[0], tt.sent[1], tt.heap[0], tt.heap[1])
	}
	golden.Section(t, "README.md", "unread", table.String())

	longer := unread(t, measure.Unread{Streams: 50, Entries: 1000, MessageSize: 1200})
	require.Greater(t, longer.Sent/kib, gateways[0].sent[1], "only the end of the log stops the server")

	first := unread(t, measure.Unread{Streams: 1, Entries: 500, MessageSize: 1200, RTT: 10 * time.Second})
	requireBetween(t, gateways[1].sent, first.Sent/kib) // in the first round trip, as with 64 KiB
}

// A connection that has read 80 MB at this round-trip time gives its next
// stream the largest window of the estimate, 16 MiB.
func TestUnread_WarmStreamIsSent16MiB(t *testing.T) {
	held := unread(t, measure.Unread{Streams: 1, Entries: 4000, MessageSize: 5000, Warm: 4, RTT: 20 * time.Millisecond})
	requireBetween(t, [2]int64{15, 17}, held.Sent/mib)
	requireBetween(t, [2]int64{45, 70}, held.Heap/mib)
}

// The connection's window is given back when data arrives, and not when it
// is read.
func TestUnread_ConnectionWindowIsNoLimit(t *testing.T) {
	held := unread(t, measure.Unread{Streams: 20, Entries: 500, MessageSize: 1200},
		grpc.WithStaticStreamWindowSize(64*kib), grpc.WithStaticConnWindowSize(64*kib))
	requireBetween(t, [2]int64{120, 130}, held.Sent/kib)
}

func unread(t *testing.T, u measure.Unread, opts ...grpc.DialOption) (held measure.Held) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		held, err = u.Measure(t.Context(), opts...)
		require.NoError(t, err)
	})
	t.Logf("sent %d KiB, heap %d KiB a stream", held.Sent/kib, held.Heap/kib)
	return held
}
