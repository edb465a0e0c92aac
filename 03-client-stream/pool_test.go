package clientstream

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that gRPC uses by default
	"google.golang.org/grpc/mem"
)

// The buffer pool of grpc-go has buffers of 32 KiB and of 1 MiB, and none
// between. A message is a chunk and a few bytes that describe it.
func TestChunk_Of32KiBTakesBufferOfOneMiB(t *testing.T) {
	for chunk, want := range map[int]int{
		16 << 10:    32 << 10,
		32<<10 - 16: 32 << 10,
		32 << 10:    1 << 20,
		256 << 10:   1 << 20,
	} {
		sent, err := encoding.GetCodecV2("proto").Marshal(chunkRequest(make([]byte, chunk)))
		require.NoError(t, err)
		require.Equal(t, want, cap(sent[0].ReadOnlyData()), "to send %d bytes", chunk)

		// As the receiver does with a message that came in several frames.
		frames := mem.BufferSlice{mem.SliceBuffer(sent[0].ReadOnlyData()[:1]), mem.SliceBuffer(sent[0].ReadOnlyData()[1:])}
		received := frames.MaterializeToBuffer(mem.DefaultBufferPool())
		require.Equal(t, want, cap(received.ReadOnlyData()), "to receive %d bytes", chunk)
		received.Free()
		sent.Free()
	}
}

// So each chunk of 32 KiB costs the time to clear 1 MiB, on both sides.
func TestPool_ClearsTheWholeBuffer(t *testing.T) {
	pool := mem.DefaultBufferPool()
	for range 100 { // under -race, the pool drops some buffers
		buf := pool.Get(32<<10 + 1)
		whole := (*buf)[:cap(*buf)]
		require.Zero(t, whole[len(whole)-1])
		whole[len(whole)-1] = 1
		pool.Put(buf)
	}
}
