package wire

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestEveryTypeOfFrameShowsWhatMattersInIt(t *testing.T) {
	r := newRecording(t)
	r.settings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 16384}, http2.Setting{ID: 99, Val: 7})
	r.ok(r.WriteSettingsAck())
	r.ok(r.WritePing(false, [8]byte{1}))
	r.ok(r.WritePing(true, [8]byte{1}))
	r.ok(r.WriteWindowUpdate(0, 65535))
	r.headers(1, true, ":status", "200", "grpc-encoding", "gzip", "date", "today")
	r.ok(r.WritePriority(1, http2.PriorityParam{}))
	r.ok(r.WriteDataPadded(3, false, message5("hi"), make([]byte, 200)))
	r.ok(r.WriteWindowUpdate(3, 10))
	r.ok(r.WriteRSTStream(3, http2.ErrCodeRefusedStream))
	r.ok(r.WriteRSTStream(5, 0xbeef))
	r.ok(r.WriteRawFrame(0x77, 0, 7, []byte("?")))
	r.ok(r.WriteGoAway(3, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings")))
	r.ok(r.WriteGoAway(0, http2.ErrCodeNo, nil))
	require.Equal(t, `
S->C SETTINGS      stream=0   len=12    MAX_FRAME_SIZE=16384 UNKNOWN_SETTING_99=7
S->C SETTINGS      stream=0   len=0     ACK
S->C PING          stream=0   len=8
S->C PING          stream=0   len=8     ACK
S->C WINDOW_UPDATE stream=0   len=4     increment=65535
S->C HEADERS       stream=1   len=23    END_STREAM :status=200 grpc-encoding=gzip
S->C PRIORITY      stream=1   len=5
S->C DATA          stream=3   len=208   PADDED message=2B
S->C WINDOW_UPDATE stream=3   len=4     increment=10
S->C RST_STREAM    stream=3   len=4     code=REFUSED_STREAM
S->C RST_STREAM    stream=5   len=4     code=unknown error code 0xbeef
S->C UNKNOWN_FRAME_TYPE_119 stream=7   len=1
S->C GOAWAY        stream=0   len=22    last-stream=3 code=ENHANCE_YOUR_CALM debug=too_many_pings
S->C GOAWAY        stream=0   len=8     last-stream=0 code=NO_ERROR
`, show(t, r.Bytes()))
}

func TestMessagesAreMeasuredWhereverTheirFramesAreCut(t *testing.T) {
	hello, compressed := message5("hello"), append([]byte{1}, message5("zip")[1:]...)
	two := append(message5("hello"), message5("")...)
	for _, c := range []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"one", [][]byte{hello}, []string{"message=5B"}},
		{"two in a frame", [][]byte{two}, []string{"message=5B message=0B"}},
		{"compressed", [][]byte{compressed}, []string{"message=3B compressed"}},
		{"in its prefix", [][]byte{hello[:3], hello[3:]}, []string{"prefix=3/5B", "message=5/5B"}},
		{"after its prefix", [][]byte{hello[:5], hello[5:]}, []string{"message=0/5B", "message=5/5B"}},
		{"empty frame between", [][]byte{hello[:7], nil, hello[7:]}, []string{"message=2/5B", "", "message=5/5B"}},
		{"end and start", [][]byte{two[:6], two[6:]}, []string{"message=1/5B", "message=5/5B message=0B"}},
		{"4 GiB announced", [][]byte{{0, 255, 255, 255, 255, 0}}, []string{"message=1/4294967295B"}},
		{"not gRPC", [][]byte{[]byte("<html>"), hello}, []string{"(not a gRPC message)", "message=5B"}},
		{"many", [][]byte{bytes.Repeat(hello, 100)}, []string{strings.Repeat("message=5B ", maxItems) + "..."}},
	} {
		r := newRecording(t)
		r.settings()
		for _, f := range c.frames {
			r.ok(r.WriteData(1, false, f))
			r.ok(r.WriteData(3, true, message5("another stream")))
		}
		require.Equal(t, c.want, details(t, r.Bytes(), "stream=1 "), c.name)
	}
}

func TestAStreamThatEndedInItsMessageIsForgotten(t *testing.T) {
	ends := map[string]func(r *recording){
		"END_STREAM": func(r *recording) { r.ok(r.WriteData(1, true, nil)) },
		"trailers":   func(r *recording) { r.headers(1, true, "grpc-status", "13") },
		"RST_STREAM": func(r *recording) { r.ok(r.WriteRSTStream(1, http2.ErrCodeCancel)) },
	}
	for name, end := range ends {
		r := newRecording(t)
		r.settings()
		r.ok(r.WriteData(1, false, message5("hello")[:7]))
		end(r)
		d := newDecoder("S->C", "")
		require.NoError(t, d.feed(r.Bytes(), func(http2.FrameHeader, string) {}))
		require.Empty(t, d.messages, name)
	}
}

func TestTheOldestOfTooManyUnfinishedMessagesGivesWay(t *testing.T) {
	r := newRecording(t)
	r.settings()
	for i := range uint32(2 * maxMessages) {
		r.ok(r.WriteData(2*i+1, false, message5("hello")[:6]))
	}
	d := newDecoder("S->C", "")
	require.NoError(t, d.feed(r.Bytes(), func(http2.FrameHeader, string) {}))
	require.Len(t, d.messages, maxMessages)
	require.Contains(t, d.messages, uint32(4*maxMessages-1))
	require.Contains(t, d.messages, uint32(2*maxMessages+1))
}

func TestTheHeaderTableMayGrowAndShrink(t *testing.T) {
	r := newRecording(t)
	r.settings()
	r.enc.SetMaxDynamicTableSizeLimit(maxTable)
	want := []string{}
	for _, size := range []uint32{4096, maxTable, 0, 100, 65536} {
		r.enc.SetMaxDynamicTableSize(size)
		for range 2 {
			r.headers(1, false, "long", strings.Repeat("!", 10_000), "grpc-status", "12345")
			want = append(want, "grpc-status=12345")
		}
	}
	require.Equal(t, want, details(t, r.Bytes(), "stream=1 "))
}

func TestAHeaderCutInTwoAppearsWithItsSecondHalf(t *testing.T) {
	r := newRecording(t)
	r.settings()
	block := r.encode(":status", "200", "grpc-status", "5")
	r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:len(block)-1], EndStream: true}))
	r.ok(r.WriteContinuation(1, true, block[len(block)-1:]))
	require.Equal(t, []string{"END_STREAM :status=200", "grpc-status=5"}, details(t, r.Bytes(), "stream=1 "))
}

func TestWhatThePeerWroteCannotReachTheTerminal(t *testing.T) {
	for value, want := range map[string]string{
		"\x1b[2J":                      `"\x1b[2J"`,
		"a\r\nb":                       `"a\r\nb"`,
		"x grpc-status=0":              `"x grpc-status=0"`,
		`"`:                            `"\""`,
		`\x1b`:                         `"\\x1b"`,
		"\xff\u202e\u009b":             `"\xff\u202e\u009b"`,
		strings.Repeat("/", maxValue):  strings.Repeat("/", maxValue),
		strings.Repeat("/", 1_000_000): strings.Repeat("/", maxValue) + "...",
	} {
		require.Equal(t, want, quote(value))
		r := newRecording(t)
		r.settings()
		r.headers(1, false, "grpc-message", value[:min(len(value), 1000)], value[:1]+"-name", value[:1])
		require.Equal(t, []string{"grpc-message=" + want}, details(t, r.Bytes(), "stream=1 "))
	}
	r := newRecording(t)
	r.settings()
	r.ok(r.WriteGoAway(0, 0, []byte("\x1b]0;owned\a")))
	require.Contains(t, show(t, r.Bytes()), `debug="\x1b]0;owned\a"`)
}

func TestTheTimeColumnIsNarrow(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                           "0s",
		12345 * time.Nanosecond:     "12µs",
		1234567 * time.Nanosecond:   "1.23ms",
		999999 * time.Microsecond:   "1s",
		1200 * time.Millisecond:     "1.2s",
		12345 * time.Millisecond:    "12.3s",
		70500 * time.Millisecond:    "1m10.5s",
		9*time.Hour + time.Minute/8: "9h0m8s",
	} {
		require.Equal(t, want, round(d).String())
	}
}
