package fastlog

import (
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// An encoded is a message that is encoded already. A bufcodec.Codec sends its
// data. Every other codec, and a stats handler that reads the message, uses
// it as a proto.Message, which it becomes when somebody asks.
type encoded struct {
	data    []byte
	message proto.Message // what data decodes to; empty until decoded
	decoded bool
}

func (e *encoded) MarshalBuffers() (mem.BufferSlice, error) {
	// A SliceBuffer belongs to the garbage collector, not to a pool: Free
	// does nothing, so that any number of streams can send the same bytes.
	return mem.BufferSlice{mem.SliceBuffer(e.data)}, nil
}

func (e *encoded) ProtoReflect() protoreflect.Message {
	if !e.decoded {
		e.decoded = true
		_ = proto.Unmarshal(e.data, e.message) // cannot fail: this package has encoded it
	}
	return e.message.ProtoReflect()
}
