package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	headerLen = 9       // of a frame: RFC 9113, 4.1
	maxFrame  = 1 << 20 // grpc-go neither sends nor accepts above 16 KiB
	maxTable  = 1 << 20 // HPACK's dynamic table; 4 KiB unless both agree
)

var (
	errNotHTTP2 = errors.New("this is not HTTP/2")
	errTLS      = errors.New("this is not HTTP/2 but looks like TLS, which hides the frames")
)

// A decoder finds the frames in the bytes of one direction.
type decoder struct {
	name     string        // "C->S" or "S->C"
	preface  string        // what is still to come of the client's preface
	started  bool          // after the first frame
	quiet    bool          // after the first error
	buf      bytes.Buffer  // the frame that is arriving
	framer   *http2.Framer // reads from buf
	hpack    *hpack.Decoder
	messages messages
	items    items // of the current frame
}

func newDecoder(name, preface string) *decoder {
	d := &decoder{name: name, preface: preface, messages: messages{}}
	d.framer = http2.NewFramer(nil, &d.buf)
	// The sender says in the header block itself when it changes the size
	// of the table, so all it takes here is to allow any sane size.
	d.hpack = hpack.NewDecoder(4096, d.addField)
	d.hpack.SetAllowedMaxDynamicTableSize(maxTable)
	d.hpack.SetMaxStringLength(maxFrame)
	return d
}

// feed decodes p, which may begin and end anywhere in a frame, and calls
// print for each frame that p completes.
func (d *decoder) feed(p []byte, print func(h http2.FrameHeader, what string)) error {
	p, err := d.skipPreface(p)
	for err == nil && len(p) > 0 {
		n := min(d.frameSize()-d.buf.Len(), len(p))
		d.buf.Write(p[:n])
		p = p[n:]
		if err = d.check(); err == nil && d.buf.Len() == d.frameSize() {
			err = d.decode(print)
		}
	}
	return err
}

// skipPreface removes from p the preface that a client sends first.
func (d *decoder) skipPreface(p []byte) ([]byte, error) {
	n := min(len(p), len(d.preface))
	if string(p[:n]) != d.preface[:n] {
		if len(d.preface) == len(http2.ClientPreface) && isTLS(p[0]) {
			return nil, errTLS
		}
		return nil, errNotHTTP2
	}
	d.preface = d.preface[n:]
	return p[n:], nil
}

// frameSize is the size of the frame in buf, or that of a header as long
// as the header is not complete.
func (d *decoder) frameSize() int {
	b := d.buf.Bytes()
	if len(b) < headerLen {
		return headerLen
	}
	return headerLen + int(b[0])<<16 + int(b[1])<<8 + int(b[2])
}

// check rejects a frame as soon as its first bytes allow. The first
// frame of each side is SETTINGS (RFC 9113, 3.4), and a short one.
func (d *decoder) check() error {
	b := d.buf.Bytes()
	switch {
	case !d.started && isTLS(b[0]):
		return errTLS
	case !d.started && (b[0] != 0 || len(b) > 3 && b[3] != byte(http2.FrameSettings)):
		return errNotHTTP2
	case d.frameSize() > headerLen+maxFrame:
		return fmt.Errorf("a frame of %dB is above the limit of %dB", d.frameSize()-headerLen, maxFrame)
	}
	return nil
}

// isTLS reports whether b is the type of a TLS record (RFC 8446, 5.1).
// No HTTP/2 connection starts so.
func isTLS(b byte) bool { return 0x14 <= b && b <= 0x17 }

// decode prints the frame in buf, and leaves buf empty.
func (d *decoder) decode(print func(http2.FrameHeader, string)) error {
	f, err := d.framer.ReadFrame()
	if err != nil {
		return fmt.Errorf("this is not a valid frame: %w", cmp.Or(d.framer.ErrorDetail(), err))
	}
	d.started = true
	h := f.Header()
	d.items = flags(h)
	if err := d.describe(f); err != nil {
		return fmt.Errorf("the headers of stream %d cannot be decoded: %w", h.StreamID, err)
	}
	if ends(h) {
		delete(d.messages, h.StreamID)
	}
	print(h, strings.Join(d.items, " "))
	return nil
}

// ends reports whether no message of the stream can follow in this
// direction.
func ends(h http2.FrameHeader) bool {
	switch h.Type {
	case http2.FrameData, http2.FrameHeaders:
		return h.Flags.Has(http2.FlagDataEndStream) // the same bit in both
	default:
		return h.Type == http2.FrameRSTStream
	}
}
