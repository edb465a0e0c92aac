package fastupload

import (
	"encoding/binary"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// chunkField is the number of the field UploadRequest.chunk.
const chunkField = 2

// An outgoing is an UploadRequest with a chunk, which is not copied.
type outgoing struct {
	chunk   mem.Buffer              // freed by gRPC
	request *uploadv1.UploadRequest // a copy, for who asks; otherwise nil
}

// MarshalBuffers returns the chunk, behind the tag and the length that
// protobuf writes before it.
func (m *outgoing) MarshalBuffers() (mem.BufferSlice, error) {
	header := protowire.AppendTag(nil, chunkField, protowire.BytesType)
	header = protowire.AppendVarint(header, uint64(m.chunk.Len()))
	return mem.BufferSlice{mem.SliceBuffer(header), m.chunk}, nil
}

func (m *outgoing) ProtoReflect() protoreflect.Message {
	if m.request == nil {
		chunk := append([]byte{}, m.chunk.ReadOnlyData()...)
		m.request = &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: chunk}}
	}
	return m.request.ProtoReflect()
}

// An incoming is an UploadRequest that was received. If it is a chunk, pieces
// are the buffers of the transport that hold the chunk. Otherwise pieces is
// empty, and the UploadRequest is complete.
type incoming struct {
	*uploadv1.UploadRequest // must not be nil; every other codec decodes into it
	pieces                  mem.BufferSlice
}

// ProtoReflect is for stats handlers and interceptors: they see the whole
// chunk, copied.
func (m *incoming) ProtoReflect() protoreflect.Message {
	if len(m.pieces) > 0 && m.Content == nil {
		m.Content = &uploadv1.UploadRequest_Chunk{Chunk: m.pieces.Materialize()}
	}
	return m.UploadRequest.ProtoReflect()
}

// UnmarshalBuffers keeps references to the buffers of a chunk. The caller
// calls free. Everything that is not exactly one chunk goes to package proto,
// so that each message means what it means to other servers.
func (m *incoming) UnmarshalBuffers(data mem.BufferSlice) error {
	m.free()
	proto.Reset(m.UploadRequest)
	header, size := chunkHeader(data)
	if header == 0 || size == 0 || data.Len() != header+size {
		return proto.Unmarshal(data.Materialize(), m.UploadRequest)
	}
	for _, b := range data {
		n := b.Len()
		if header >= n { // only the header, or empty
			header -= n
			continue
		}
		m.pieces = append(m.pieces, b.Slice(header, n)) // a reference of our own
		header = 0
	}
	return nil
}

// free gives the buffers of the chunk back to the transport.
func (m *incoming) free() {
	m.pieces.Free()
	clear(m.pieces)
	m.pieces = m.pieces[:0]
}

// chunkHeader returns how many bytes the tag and the length of a chunk take at
// the beginning of data, and the size of the chunk; 0: data begins otherwise.
func chunkHeader(data mem.BufferSlice) (header, size int) {
	var start [1 + binary.MaxVarintLen32]byte
	n := data.CopyTo(start[:])
	if n == 0 || start[0] != chunkField<<3|byte(protowire.BytesType) {
		return 0, 0
	}
	value, length := binary.Uvarint(start[1:n])
	if length <= 0 || value > 1<<31-1 {
		return 0, 0
	}
	return 1 + length, int(value)
}
