package bufcodec

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A lazy is a message that counts how often it encodes and decodes itself.
type lazy struct {
	*wrapperspb.StringValue
	marshaled, unmarshaled int
	err                    error
}

func (l *lazy) MarshalBuffers() (mem.BufferSlice, error) {
	l.marshaled++
	return mem.BufferSlice{mem.SliceBuffer("\n\x03"), mem.SliceBuffer("abc")}, l.err
}

func (l *lazy) UnmarshalBuffers(data mem.BufferSlice) error {
	l.unmarshaled++
	return errors.Join(l.err, proto.Unmarshal(data.Materialize(), l.StringValue))
}

func TestCodec_CallsTheMessage(t *testing.T) {
	m := &lazy{StringValue: new(wrapperspb.StringValue)}
	data, err := Codec{}.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, "\n\x03abc", string(data.Materialize()))
	require.NoError(t, Codec{}.Unmarshal(data, m))
	require.Equal(t, "abc", m.GetValue())
	require.Equal(t, []int{1, 1}, []int{m.marshaled, m.unmarshaled})
}

func TestCodec_ReturnsTheErrorOfTheMessage(t *testing.T) {
	m := &lazy{StringValue: new(wrapperspb.StringValue), err: errors.New("broken")}
	_, err := Codec{}.Marshal(m)
	require.ErrorIs(t, err, m.err)
	require.ErrorIs(t, Codec{}.Unmarshal(nil, m), m.err)
}

func TestCodec_OtherMessagesAreThoseOfGRPC(t *testing.T) {
	want := wrapperspb.String("any")
	data, err := Codec{}.Marshal(want)
	require.NoError(t, err)
	plain, err := encoding.GetCodecV2("proto").Marshal(want)
	require.NoError(t, err)
	require.Equal(t, plain.Materialize(), data.Materialize())
	got := new(wrapperspb.StringValue)
	require.NoError(t, Codec{}.Unmarshal(data, got))
	require.True(t, proto.Equal(want, got), "got %v", got)

	_, err = Codec{}.Marshal("text")
	require.ErrorContains(t, err, "want proto.Message")
}

// Every other codec, here that of grpc-go, uses the message as what it is.
func TestMarshaler_IsAMessageForOtherCodecs(t *testing.T) {
	m := &lazy{StringValue: wrapperspb.String("slow")}
	data, err := encoding.GetCodecV2("proto").Marshal(m)
	require.NoError(t, err)
	require.Equal(t, "\n\x04slow", string(data.Materialize()))
	require.Zero(t, m.marshaled)
}
