package fastupload

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"
)

// frameSize is the largest DATA frame that grpc-go sends and receives.
const frameSize = 16 << 10

// chunks and frames hold the buffers that no upload uses.
var (
	chunks = pool{capacity: ChunkSize}
	frames = pool{capacity: frameSize}
)

// ServerOption makes the server receive frames into buffers that are not
// cleared before they are used again. Code that reads beyond what was
// received could then see bytes of other calls. Each frame of more than 1 KiB
// takes a buffer of 16 KiB, also one of 2 KiB, for which grpc-go's own pool
// has 4 KiB.
func ServerOption() grpc.ServerOption { return experimental.BufferPool(&frames) }

// A pool is a [mem.BufferPool] of buffers of one capacity. Unlike the default
// pool of grpc-go, it does not clear a buffer before it is used again. Methods may be
// called concurrently.
//
// [mem.BufferPool]: https://pkg.go.dev/google.golang.org/grpc/mem#BufferPool
type pool struct {
	capacity int // in bytes
	buffers  sync.Pool
}

// Get returns a buffer of size bytes, which may be those of an earlier message.
// A buffer that is larger than the capacity is new.
func (p *pool) Get(size int) *[]byte {
	if size > p.capacity {
		return new(make([]byte, size))
	}
	buf, ok := p.buffers.Get().(*[]byte)
	if !ok {
		buf = new(make([]byte, p.capacity))
	}
	*buf = (*buf)[:size]
	return buf
}

// Put takes a buffer back, if it has the capacity.
func (p *pool) Put(buf *[]byte) {
	if cap(*buf) == p.capacity {
		p.buffers.Put(buf)
	}
}
