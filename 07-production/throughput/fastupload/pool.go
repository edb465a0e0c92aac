package fastupload

import "sync"

// chunks holds the buffers of all uploads that are not in use.
var chunks pool

// A pool is a [mem.BufferPool] of buffers of [ChunkSize] bytes. Unlike the
// pools of grpc-go, it does not clear a buffer before it is used again. The
// zero value works. Methods may be called concurrently.
type pool struct{ buffers sync.Pool }

// Get returns a buffer of size bytes, which must be at most ChunkSize. Its
// bytes are those of an earlier chunk.
func (p *pool) Get(size int) *[]byte {
	buf, ok := p.buffers.Get().(*[]byte)
	if !ok {
		buf = new(make([]byte, ChunkSize))
	}
	*buf = (*buf)[:size]
	return buf
}

// Put takes a buffer back.
func (p *pool) Put(buf *[]byte) { p.buffers.Put(buf) }
