// Package bufcodec is gRPC's codec for protobuf messages, and lets a message
// encode and decode itself, without a copy.
package bufcodec

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A Marshaler is a message that encodes itself. It is a proto.Message too,
// for every other codec, such as one for JSON, and for stats handlers.
type Marshaler interface {
	protoreflect.ProtoMessage

	// MarshalBuffers returns the encoded message. gRPC frees the buffers
	// when it no longer needs them, which may be long after SendMsg has returned.
	// Nobody may change their bytes until then.
	MarshalBuffers() (mem.BufferSlice, error)
}

// An Unmarshaler is a message that decodes itself.
type Unmarshaler interface {
	protoreflect.ProtoMessage

	// UnmarshalBuffers decodes data. gRPC frees data when UnmarshalBuffers
	// has returned, so the message calls Ref or Slice for each buffer that
	// it keeps, and later Free. The message must not change the bytes.
	UnmarshalBuffers(data mem.BufferSlice) error
}

// A Codec is an [encoding.CodecV2] with the name "proto". It calls the
// methods of a [Marshaler] and of an [Unmarshaler], and gives every other
// message to the codec of grpc-go. Methods may be called concurrently.
//
// Install it in func init of package main, for all servers and clients of the
// process:
//
//	encoding.RegisterCodecV2(bufcodec.Codec{})
//
// A library must not do this, because a process has one codec of each name.
// It uses [grpc.ForceServerCodecV2] and [grpc.ForceCodecV2] instead. A server
// with a forced codec fails the calls of clients that use another format.
//
// Without the Codec, gRPC uses a Marshaler and an Unmarshaler as the messages
// that they are.
//
// [grpc.ForceServerCodecV2]: https://pkg.go.dev/google.golang.org/grpc#ForceServerCodecV2
// [grpc.ForceCodecV2]: https://pkg.go.dev/google.golang.org/grpc#ForceCodecV2
type Codec struct{}

// std is the codec of grpc-go, also after a Codec was registered.
var std = encoding.GetCodecV2(proto.Name)

// Name returns "proto", which is a part of the content-type.
func (Codec) Name() string { return proto.Name }

// Marshal encodes v. The caller frees the buffers.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(Marshaler); ok {
		return m.MarshalBuffers()
	}
	return std.Marshal(v)
}

// Unmarshal decodes data into v. The caller frees data.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(Unmarshaler); ok {
		return m.UnmarshalBuffers(data)
	}
	return std.Unmarshal(data, v)
}
