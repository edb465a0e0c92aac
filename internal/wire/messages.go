package wire

import (
	"encoding/binary"
	"maps"
	"slices"

	"golang.org/x/net/http2"
)

// maxMessages bounds the streams that are in the middle of a message.
const maxMessages = 1024

// messages are the gRPC messages that the DATA frames of a direction left
// unfinished, by stream. Only their sizes are kept, never their bytes.
type messages map[uint32]message

// A message is a gRPC message: a byte that says whether it is compressed,
// four that tell its size, and as many bytes as that
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
type message struct {
	prefix [5]byte
	have   int    // bytes of prefix
	got    uint32 // bytes of the message
}

func (m *message) size() uint32 { return binary.BigEndian.Uint32(m.prefix[1:]) }

// describe adds an item for each message that f holds a part of.
func (ms messages) describe(f *http2.DataFrame, out *items) {
	m, p := ms[f.StreamID], f.Data()
	delete(ms, f.StreamID)
	for len(p) > 0 {
		whole := m.have == 0
		p = m.take(p)
		if m.have > 0 && m.prefix[0] > 1 {
			out.add("(not a gRPC message)")
			return
		}
		whole = whole && m.done()
		m.describe(whole, out)
		if m.done() {
			m = message{}
		}
	}
	if m.have > 0 {
		ms.keep(f.StreamID, m)
	}
}

// take moves m on over what p holds of it, and returns the rest of p.
func (m *message) take(p []byte) []byte {
	n := copy(m.prefix[m.have:], p)
	m.have += n
	p = p[n:]
	if m.have < len(m.prefix) {
		return p
	}
	n = int(min(int64(m.size()-m.got), int64(len(p))))
	m.got += uint32(n)
	return p[n:]
}

func (m *message) done() bool { return m.have == len(m.prefix) && m.got == m.size() }

func (m *message) describe(whole bool, out *items) {
	compressed := ""
	if m.prefix[0] == 1 {
		compressed = " compressed"
	}
	switch {
	case m.have < len(m.prefix):
		out.add("prefix=%d/%dB", m.have, len(m.prefix))
	case whole:
		out.add("message=%dB%s", m.size(), compressed)
	default:
		out.add("message=%d/%dB%s", m.got, m.size(), compressed)
	}
}

// keep remembers m until the next DATA frame of its stream. A stream that
// the peer reset never ends here, so the oldest gives way.
func (ms messages) keep(stream uint32, m message) {
	if len(ms) >= maxMessages {
		delete(ms, slices.Min(slices.Collect(maps.Keys(ms))))
	}
	ms[stream] = m
}
