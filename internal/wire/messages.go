package wire

import "encoding/binary"

// A message is a gRPC message in DATA frames: a byte that says whether the
// message is compressed, four bytes with its size, and the message itself
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
type message struct {
	prefix [5]byte
	have   int   // bytes of the prefix that have arrived
	got    int64 // bytes of the message that have arrived
}

// addMessages adds a detail for each message of which data contains a part.
// It keeps an incomplete message for the next DATA frame of the stream. If
// the stream is reset instead, the few bytes of the entry stay until the
// connection is closed.
func (d *decoder) addMessages(stream uint32, data []byte) {
	m := d.messages[stream]
	delete(d.messages, stream)
	for len(data) > 0 {
		began := m.have > 0 // in an earlier frame
		data = m.take(data)
		m.describe(began, d.add)
		if m.complete() {
			m = message{}
		}
	}
	if m.have > 0 {
		d.messages[stream] = m
	}
}

// take adds the first bytes of p to m, and returns those that follow m.
func (m *message) take(p []byte) []byte {
	n := copy(m.prefix[m.have:], p)
	m.have += n
	p = p[n:]
	if m.have < len(m.prefix) {
		return p
	}
	rest := min(m.size()-m.got, int64(len(p)))
	m.got += rest
	return p[rest:]
}

func (m *message) size() int64 { return int64(binary.BigEndian.Uint32(m.prefix[1:])) }

func (m *message) complete() bool { return m.have == len(m.prefix) && m.got == m.size() }

func (m *message) describe(began bool, add func(format string, args ...any)) {
	compressed := ""
	if m.prefix[0] == 1 {
		compressed = " compressed"
	}
	switch {
	case m.have < len(m.prefix):
		add("prefix=%d/%dB", m.have, len(m.prefix))
	case !began && m.complete():
		add("message=%dB%s", m.size(), compressed)
	default:
		add("message=%d/%dB%s", m.got, m.size(), compressed)
	}
}
