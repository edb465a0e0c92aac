package errorcontract

import (
	"bytes"
	"io"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A peer is what a client may meet instead of a server of grpc-go: a proxy,
// or a server that breaks the protocol. Its methods may be called
// concurrently.
type peer struct {
	first  bool   // answer before the first message
	hello  string // what it sends instead of SETTINGS, if anything
	one    bool   // the RPC has one response only
	answer func(*peer)

	mu     sync.Mutex
	conn   net.Conn
	framer *http2.Framer
	stream uint32 // the newest one
}

func newPeer(f *fixture) *peer {
	p := &peer{first: f.beforeFirst, hello: f.hello, one: f.one, answer: f.answer}
	f.t.Cleanup(p.close)
	return p
}

func (p *peer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// serve serves one connection after the other.
func (p *peer) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		p.serveConn(conn)
	}
}

func (p *peer) serveConn(conn net.Conn) {
	defer conn.Close()
	p.mu.Lock()
	p.conn, p.framer = conn, http2.NewFramer(conn, conn)
	p.mu.Unlock()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	if p.hello != "" {
		p.raw(p.hello)
		return
	}
	p.write(func(f *http2.Framer) error { return f.WriteSettings() })
	for {
		frame, err := p.framer.ReadFrame()
		if err != nil {
			return
		}
		p.handle(frame)
	}
}

func (p *peer) handle(frame http2.Frame) {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			p.write((*http2.Framer).WriteSettingsAck)
		}
	case *http2.HeadersFrame:
		p.mu.Lock()
		p.stream = frame.StreamID
		p.mu.Unlock()
		if p.first {
			p.answer(p)
			return
		}
		p.headers(false, ":status", "200", "content-type", "application/grpc")
		if !p.one {
			p.data(false, message)
		}
	}
}

// message is a message of two bytes: value 1.
var message = []byte{0, 0, 0, 0, 2, 8, small}

// write writes frames. The client may have closed the connection.
func (p *peer) write(frames func(*http2.Framer) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = frames(p.framer)
}

// headers sends a HEADERS frame with names and values.
func (p *peer) headers(end bool, pairs ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(pairs); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) // a buffer does not fail
	}
	p.write(func(f *http2.Framer) error {
		return f.WriteHeaders(http2.HeadersFrameParam{
			StreamID: p.stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end,
		})
	})
}

func (p *peer) data(end bool, data []byte) {
	p.write(func(f *http2.Framer) error { return f.WriteData(p.stream, end, data) })
}

// raw sends bytes that need not be frames.
func (p *peer) raw(data string) {
	p.write(func(*http2.Framer) error { _, err := io.WriteString(p.conn, data); return err })
}
