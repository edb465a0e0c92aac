package upload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// A rawChunk is an UploadRequest with a chunk, whose bytes are not copied.
// SendMsg takes the buffers over. After RecvMsg, the receiver must free them.
type rawChunk struct{ data mem.BufferSlice }

// chunkTag is field 2 of UploadRequest, which has a length.
const chunkTag = 2<<3 | 2

// A codec is the codec for protobuf, which also knows a rawChunk. Its
// methods may be called concurrently.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*rawChunk)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	header := binary.AppendUvarint([]byte{chunkTag}, uint64(m.data.Len()))
	return append(mem.BufferSlice{mem.SliceBuffer(header)}, m.data...), nil
}

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*rawChunk)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	reader := data.Reader()
	defer reader.Close()
	if tag, err := reader.ReadByte(); err != nil || tag != chunkTag {
		return fmt.Errorf("chunk: must begin with the tag %#x, got %#x", chunkTag, tag)
	}
	size, err := binary.ReadUvarint(reader)
	if err != nil || size != uint64(reader.Remaining()) {
		return errors.New("chunk: must be the only field")
	}
	m.data = rest(data, data.Len()-int(size))
	return nil
}

// rest returns the data without its first bytes, in the same buffers.
func rest(data mem.BufferSlice, skip int) mem.BufferSlice {
	var out mem.BufferSlice
	for _, b := range data {
		if skip >= b.Len() {
			skip -= b.Len()
			continue
		}
		b.Ref()
		if skip > 0 {
			first, second := mem.SplitUnsafe(b, skip)
			first.Free()
			b, skip = second, 0
		}
		out = append(out, b)
	}
	return out
}

// A chunkPool holds buffers of one size. grpc-go's own pool would take one
// of 1 MiB for each chunk of more than 32 KiB. Its methods may be called
// concurrently.
type chunkPool struct{ pool sync.Pool }

// Get returns a buffer of this size.
func (p *chunkPool) Get(size int) *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok && cap(*b) >= size {
		*b = (*b)[:size]
		return b
	}
	b := make([]byte, size)
	return &b
}

// Put takes a buffer back.
func (p *chunkPool) Put(b *[]byte) { p.pool.Put(b) }
