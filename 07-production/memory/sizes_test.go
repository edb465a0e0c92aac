package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/07-production/memory"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

var sizes = []struct {
	message int      // bytes
	heap    [2]int64 // KiB a stream
}{
	{0, [2]int64{1500, 3000}},
	{10, [2]int64{500, 1000}},
	{100, [2]int64{180, 400}},
	{500, [2]int64{120, 260}},
	{1200, [2]int64{300, 600}},
	{4000, [2]int64{120, 260}},
	{5000, [2]int64{250, 550}},
}

// grpc-go receives a DATA frame into such a buffer, or, if it has at most
// 1 KiB, into one of its size.
func TestBuffer_HasSteps(t *testing.T) {
	require.True(t, mem.IsBelowBufferPoolingThreshold(1<<10))
	require.False(t, mem.IsBelowBufferPoolingThreshold(1<<10+1))
	for size, want := range map[int]int{1<<10 + 1: 4 << 10, 4 << 10: 4 << 10, 4<<10 + 1: 16 << 10, 16 << 10: 16 << 10} {
		require.Equal(t, want, cap(*mem.DefaultBufferPool().Get(size)), "%d bytes", size)
	}
}

// The window counts 64 KiB for all of them.
func TestWindow_TakesMoreThanItsSize(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| Messages of | Heap of a stream, client and server together |\n|---|---|")
	for _, tt := range sizes {
		t.Run(fmt.Sprint(tt.message), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { requireBetween(t, tt.heap, fullWindow(t, tt.message)/kib) })
		})
		fmt.Fprintf(table, "| %d bytes | %d to %d KiB |\n", tt.message, tt.heap[0], tt.heap[1])
	}
	golden.Section(t, "README.md", "sizes", table.String())
}

// fullWindow returns the heap of a stream that was sent messages of that
// size until its window was full.
func fullWindow(t *testing.T, size int) int64 {
	const streams = 4
	flood := func(_ any, stream grpc.ServerStream) error {
		for {
			if err := stream.SendMsg(wrapperspb.Bytes(make([]byte, size))); err != nil {
				return err
			}
		}
	}
	server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {}, grpc.UnknownServiceHandler(flood))
	conn := server.Dial(t, memory.DialOptions()...)
	conn.Connect()
	synctest.Wait() // a connection takes memory too
	before := heap()
	for range streams {
		_, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/test/Flood")
		require.NoError(t, err)
	}
	synctest.Wait()
	held := (heap() - before) / streams
	t.Logf("%d KiB", held/kib)
	return held
}
