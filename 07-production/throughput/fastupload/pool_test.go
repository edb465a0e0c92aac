package fastupload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/testproc"
)

// A countingPool counts the buffers of 32 KiB and more that gRPC takes. The
// transport takes smaller ones, for frames.
type countingPool struct {
	mem.BufferPool

	mu      sync.Mutex
	taken   int
	cleared int // bytes
}

func (p *countingPool) Get(size int) *[]byte {
	buf := p.BufferPool.Get(size)
	if cap(*buf) >= 32<<10 {
		p.mu.Lock()
		p.taken++
		p.cleared += cap(*buf) // a pool of grpc-go clears the whole buffer
		p.mu.Unlock()
	}
	return buf
}

// row uploads eight chunks, and returns a row of the table.
func (p *countingPool) row(t *testing.T, name string, size int, upload func(t *testing.T)) string {
	p.taken, p.cleared = 0, 0
	synctest.Test(t, upload)
	return fmt.Sprintf("%-30s %7d %15d %15.1f\n", name, p.taken, p.cleared>>10, float64(p.cleared)/float64(8*size))
}

// The pool of grpc-go has buffers of 32 KiB and of 1 MiB, and none between.
// Client and server take one each for a chunk.
func TestPool_ChunkOf32KiBTakesOneMiB(t *testing.T) {
	// In a process of its own, because all of gRPC uses the pool.
	status, stdout, stderr := testproc.Self(t, func() int {
		pool := &countingPool{BufferPool: mem.DefaultBufferPool()}
		experimental.SetDefaultBufferPool(pool)
		table := "8 chunks of                    buffers  KiB cleared    for a byte sent\n"
		for _, size := range []int{32<<10 - 16, 32 << 10, 256 << 10, 1<<20 - 16} {
			table += pool.row(t, fmt.Sprintf("%7d bytes", size), size, func(t *testing.T) {
				plain := &clientstream.UploadServer{Root: newServer(t).Root}
				stream := open(t, t.Context(), dial(t, plain), info("f"))
				for range 8 {
					require.NoError(t, stream.Send(chunk(strings.Repeat("x", size))))
				}
				_, err := stream.CloseAndRecv()
				require.NoError(t, err)
			})
		}
		table += pool.row(t, fmt.Sprintf("%7d bytes, package fastupload", ChunkSize), ChunkSize, func(t *testing.T) {
			_, err := Upload(t.Context(), dial(t, newServer(t)), named("f"), generated(8*ChunkSize), nil)
			require.NoError(t, err)
		})
		fmt.Fprint(os.Stderr, table)
		return 0
	}, nil).Wait()
	require.Zero(t, status, "%s%s", stdout, stderr)
	golden.File(t, "testdata/tiers.txt", stderr)
}

func TestPool_OfGRPCHasFiveSizesAndClears(t *testing.T) {
	pool := mem.DefaultBufferPool()
	for size, capacity := range map[int]int{
		1: 256, 256: 256, 257: 4 << 10, 2 << 10: 4 << 10, 4 << 10: 4 << 10, 4<<10 + 1: 16 << 10, 16 << 10: 16 << 10,
		16<<10 + 1: 32 << 10, 32 << 10: 32 << 10, 32<<10 + 1: 1 << 20, 64<<10 + 4: 1 << 20, 1 << 20: 1 << 20,
	} {
		for range 3 {
			buf := pool.Get(size)
			require.Equal(t, capacity, cap(*buf), "of %d bytes", size)
			whole := (*buf)[:capacity]
			require.True(t, bytes.Equal(make([]byte, capacity), whole), "%d bytes are cleared", capacity)
			for i := range whole {
				whole[i] = 1
			}
			pool.Put(buf)
		}
	}
	require.True(t, mem.IsBelowBufferPoolingThreshold(1<<10))
	require.False(t, mem.IsBelowBufferPoolingThreshold(1<<10+1))
}

// A buffer comes back to the pool, with what it held.
func TestPool_DoesNotClear(t *testing.T) {
	p := pool{capacity: 100}
	for range 100 { // under -race, a sync.Pool drops some buffers
		buf := p.Get(10)
		require.Len(t, *buf, 10)
		require.Equal(t, 100, cap(*buf))
		if (*buf)[0] == 1 {
			return
		}
		(*buf)[0] = 1
		p.Put(buf)
	}
	t.Fatal("each buffer is new")
}

func TestPool_HasBuffersOfOneCapacity(t *testing.T) {
	p := pool{capacity: 100}
	for range 100 {
		large := p.Get(101)
		require.Len(t, *large, 101)
		p.Put(large)
		p.Put(new(make([]byte, 99)))
		require.Equal(t, 100, cap(*p.Get(100)))
	}
}

// A lendingPool counts the buffers that are in use.
type lendingPool struct {
	mem.BufferPool
	taken, lent atomic.Int64
}

func (p *lendingPool) Get(size int) *[]byte {
	p.taken.Add(1)
	p.lent.Add(1)
	return p.BufferPool.Get(size)
}

func (p *lendingPool) Put(buf *[]byte) {
	p.lent.Add(-1)
	p.BufferPool.Put(buf)
}

// A missing Free would cost memory for each frame.
func TestReceive_GivesAllBuffersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lending := &lendingPool{BufferPool: mem.DefaultBufferPool()}
		server := memservertest.Serve(t, register(newServer(t)), experimental.BufferPool(lending))
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		_, err := Upload(t.Context(), client, named("f"), generated(10*ChunkSize+5000), nil)
		require.NoError(t, err)
		synctest.Wait()
		require.Greater(t, lending.taken.Load(), int64(10*16), "frames of 16 KiB")
		require.Zero(t, lending.lent.Load())
	})
}

func TestReceive_ReturnTooEarlyKeepsTheBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lending := &lendingPool{BufferPool: mem.DefaultBufferPool()}
		s := stub{OnUpload: func(stream serverStream) error {
			_, err := Receive(stream).Recv()
			return err
		}}
		server := memservertest.Serve(t, register(s), experimental.BufferPool(lending))
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		stream := open(t, t.Context(), client, chunk(strings.Repeat("x", 5000)))
		_, err := stream.CloseAndRecv()
		require.Equal(t, codes.Internal, status.Code(err), "no receipt: got %v", err)
		synctest.Wait()
		require.EqualValues(t, 1, lending.lent.Load())
	})
}

// The server does not read, and its window is smaller than the chunk.
func TestSendChunk_FreesTheChunkWhenTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lending := &lendingPool{BufferPool: mem.DefaultBufferPool()}
		s := stub{OnUpload: func(stream serverStream) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}}
		server := memservertest.Serve(t, register(s), grpc.StaticStreamWindowSize(64<<10))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := open(t, ctx, uploadv1.NewUploadServiceClient(server.Dial(t)))
		require.NoError(t, SendChunk(stream, mem.NewBuffer(lending.Get(ChunkSize), lending)))
		synctest.Wait()
		require.EqualValues(t, 1, lending.lent.Load(), "before the chunk is written")
		cancel()
		synctest.Wait()
		require.Zero(t, lending.lent.Load())
		require.ErrorIs(t, SendChunk(stream, mem.SliceBuffer("x")), io.EOF)
	})
}

// A second Free may also hit a message that uses the same mem.Buffer now.
func TestBuffer_SecondFreePanics(t *testing.T) {
	data := make([]byte, 2<<10)
	buf := mem.NewBuffer(&data, mem.NopBufferPool{})
	buf.Free()
	require.Panics(t, buf.Free)
}

// The pieces of a chunk stay as they are until the next Recv, although the
// transport takes its buffers from the same pool.
func TestServerOption_StoresEveryByte(t *testing.T) {
	require.Equal(t, 16<<10, cap(*frames.Get(2 << 10)))
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := memservertest.Serve(t, register(s), ServerOption())
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		want := generatedBytes(t, 20*ChunkSize+1)
		for _, name := range []string{"one", "two"} {
			_, err := Upload(t.Context(), client, named(name), bytes.NewReader(want), nil)
			require.NoError(t, err)
			requireBytes(t, want, read(t, s, name), name)
		}
	})
}
