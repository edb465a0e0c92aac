package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	headerLen = 9       // bytes of a frame's header (RFC 9113, section 4.1)
	limit     = 1 << 20 // bytes of a frame, of a header field, and of the header table
)

// A frame is what the Tap prints of an HTTP/2 frame.
type frame struct {
	http2.FrameHeader
	details string
}

// A decoder finds the frames in the bytes of one direction of a connection.
type decoder struct {
	name     string // "C->S" or "S->C"
	mark     string // "#2 " for the second connection of a Tap, "" for the first
	preface  string // the part of the client's preface that has not arrived yet
	started  bool   // the first frame has arrived
	failed   bool   // the bytes are not HTTP/2
	buf      bytes.Buffer
	framer   *http2.Framer // reads from buf
	hpack    *hpack.Decoder
	messages map[uint32]message // the incomplete message of each stream
	details  []string           // of the current frame
}

func newDecoder(name, preface string) *decoder {
	d := &decoder{name: name, preface: preface, messages: map[uint32]message{}}
	d.framer = http2.NewFramer(nil, &d.buf)
	d.hpack = hpack.NewDecoder(4096, d.addField)
	d.hpack.SetMaxStringLength(limit)
	// The two ends agree on the size of the header table in SETTINGS. The
	// sender then announces each change of the size in a header block,
	// which is enough for a decoder that accepts any size up to its limit.
	d.hpack.SetAllowedMaxDynamicTableSize(limit)
	return d
}

// decode returns the frames that p completes. p may begin and end anywhere
// in a frame. If p is not HTTP/2, decode returns an error and the frames
// before it.
func (d *decoder) decode(p []byte) (frames []frame, err error) {
	n := min(len(p), len(d.preface))
	if string(p[:n]) != d.preface[:n] {
		return nil, errors.New("this is not HTTP/2: the client's preface is missing")
	}
	d.preface = d.preface[n:]
	d.buf.Write(p[n:])
	for d.buf.Len() >= headerLen {
		h, err := http2.ReadFrameHeader(bytes.NewReader(d.buf.Bytes()))
		if err != nil {
			return frames, err
		}
		if !d.started && h.Type != http2.FrameSettings {
			return frames, errors.New("this is not HTTP/2: the first frame is not SETTINGS")
		}
		if h.Length > limit {
			return frames, http2.ErrFrameTooLarge
		}
		if d.buf.Len() < headerLen+int(h.Length) {
			break
		}
		d.started = true
		f, err := d.framer.ReadFrame()
		if err != nil {
			return frames, err
		}
		d.details = nil
		if err := d.describe(f); err != nil {
			return frames, err
		}
		frames = append(frames, frame{h, strings.Join(d.details, " ")})
	}
	return frames, nil
}

func (d *decoder) add(format string, args ...any) {
	d.details = append(d.details, fmt.Sprintf(format, args...))
}

// describe adds the details of f.
func (d *decoder) describe(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.DataFrame:
		if f.StreamEnded() {
			d.add("END_STREAM")
		}
		d.addMessages(f.StreamID, f.Data())
	case *http2.HeadersFrame:
		if f.StreamEnded() {
			d.add("END_STREAM")
		}
		return d.addFields(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.ContinuationFrame:
		return d.addFields(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.RSTStreamFrame:
		d.add("code=%v", f.ErrCode)
	case *http2.GoAwayFrame:
		d.add("last-stream=%d code=%v", f.LastStreamID, f.ErrCode)
		if len(f.DebugData()) > 0 {
			d.add("debug=%s", word(string(f.DebugData())))
		}
	case *http2.WindowUpdateFrame:
		d.add("increment=%d", f.Increment)
	case *http2.PingFrame:
		if f.IsAck() {
			d.add("ACK")
		}
	case *http2.SettingsFrame:
		if f.IsAck() {
			d.add("ACK")
		}
		return f.ForeachSetting(func(s http2.Setting) error {
			d.add("%v=%d", s.ID, s.Val)
			return nil
		})
	}
	return nil
}

// addFields decodes one fragment of a header block. A field that is split
// between two fragments is added with the second one.
func (d *decoder) addFields(fragment []byte, last bool) error {
	if _, err := d.hpack.Write(fragment); err != nil {
		return err
	}
	if last {
		return d.hpack.Close()
	}
	return nil
}

func (d *decoder) addField(f hpack.HeaderField) {
	switch f.Name {
	case ":path", ":status", "grpc-timeout", "grpc-encoding", "grpc-status":
		d.add("%s=%s", f.Name, word(f.Value))
	case "grpc-message":
		if f.Value != "" { // grpc-go sends an empty one with status OK
			d.add("%s=%s", f.Name, word(f.Value))
		}
	}
}

// word returns s as one word that is safe to print: s itself, or s in
// quotes if s contains a space or a character that [strconv.Quote] escapes.
func word(s string) string {
	if q := strconv.Quote(s); strings.Contains(s, " ") || q != `"`+s+`"` {
		return q
	}
	return s
}
