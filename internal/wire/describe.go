package wire

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	maxValue = 64 // bytes shown of a text that the peer wrote
	maxItems = 8  // items shown of a frame
)

var flagNames = []struct {
	frame http2.FrameType
	flag  http2.Flags
	name  string
}{
	{http2.FrameData, http2.FlagDataEndStream, "END_STREAM"},
	{http2.FrameData, http2.FlagDataPadded, "PADDED"},
	{http2.FrameHeaders, http2.FlagHeadersEndStream, "END_STREAM"},
	{http2.FrameHeaders, http2.FlagHeadersPadded, "PADDED"},
	{http2.FrameHeaders, http2.FlagHeadersPriority, "PRIORITY"},
	{http2.FrameSettings, http2.FlagSettingsAck, "ACK"},
	{http2.FramePing, http2.FlagPingAck, "ACK"},
}

func flags(h http2.FrameHeader) (names items) {
	for _, f := range flagNames {
		if h.Type == f.frame && h.Flags.Has(f.flag) {
			names.add("%s", f.name)
		}
	}
	return names
}

// A headerBlock is a HEADERS, CONTINUATION or PUSH_PROMISE frame.
type headerBlock interface {
	HeaderBlockFragment() []byte
	HeadersEnded() bool
}

// describe adds to d.items what matters in f.
func (d *decoder) describe(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.DataFrame:
		d.messages.describe(f, &d.items)
	case headerBlock:
		return d.decodeHeaders(f)
	case *http2.RSTStreamFrame:
		d.items.add("code=%v", f.ErrCode)
	case *http2.GoAwayFrame:
		d.items.add("last-stream=%d code=%v", f.LastStreamID, f.ErrCode)
		if len(f.DebugData()) > 0 {
			d.items.add("debug=%s", quote(string(f.DebugData())))
		}
	case *http2.WindowUpdateFrame:
		d.items.add("increment=%d", f.Increment)
	case *http2.SettingsFrame:
		return f.ForeachSetting(func(s http2.Setting) error {
			d.items.add("%v=%d", s.ID, s.Val)
			return nil
		})
	}
	return nil
}

// decodeHeaders reads one fragment. A field that is cut in two appears with
// its second half.
func (d *decoder) decodeHeaders(f headerBlock) error {
	if _, err := d.hpack.Write(f.HeaderBlockFragment()); err != nil {
		return err
	}
	if f.HeadersEnded() {
		return d.hpack.Close()
	}
	return nil
}

func (d *decoder) addField(f hpack.HeaderField) {
	switch f.Name {
	case "grpc-message":
		if f.Value == "" {
			return // grpc-go sends an empty one with OK
		}
		fallthrough
	case ":path", ":status", "grpc-timeout", "grpc-encoding", "grpc-status":
		d.items.add("%s=%s", f.Name, quote(f.Value))
	}
}

// items are the words that a line ends with, at most maxItems.
type items []string

func (s *items) add(format string, args ...any) {
	if len(*s) < maxItems {
		*s = append(*s, fmt.Sprintf(format, args...))
	} else if len(*s) == maxItems {
		*s = append(*s, "...")
	}
}

// quote makes one harmless word of s, which the peer chose.
func quote(s string) string {
	cut := ""
	if len(s) > maxValue {
		s, cut = s[:maxValue], "..."
	}
	strange := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	if s == "" || strings.ContainsFunc(s, strange) {
		s = strconv.QuoteToASCII(s)
	}
	return s + cut
}
