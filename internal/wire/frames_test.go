package wire

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestDecoder_AddsDetailsOfEachFrameType(t *testing.T) {
	r := record(t)
	r.ok(r.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 16384}, http2.Setting{ID: 99, Val: 7}))
	r.ok(r.WriteSettingsAck())
	r.ok(r.WritePing(false, [8]byte{1}))
	r.ok(r.WritePing(true, [8]byte{1}))
	r.ok(r.WriteWindowUpdate(0, 65535))
	r.headers(":status", "200", "grpc-encoding", "gzip", "date", "today")
	r.ok(r.WriteData(1, false, prefixed("hi")))
	r.ok(r.WriteWindowUpdate(1, 10))
	r.headers("grpc-status", "0", "grpc-message", "")
	r.ok(r.WriteData(3, true, nil))
	r.ok(r.WriteRSTStream(3, http2.ErrCodeRefusedStream))
	r.ok(r.WriteRSTStream(5, 0xbeef))
	r.ok(r.WriteRawFrame(0x77, 0, 7, []byte("?")))
	r.ok(r.WriteGoAway(3, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings")))
	r.ok(r.WriteGoAway(0, http2.ErrCodeNo, nil))
	require.Equal(t, `
S->C SETTINGS      stream=0   len=0
S->C SETTINGS      stream=0   len=12    MAX_FRAME_SIZE=16384 UNKNOWN_SETTING_99=7
S->C SETTINGS      stream=0   len=0     ACK
S->C PING          stream=0   len=8
S->C PING          stream=0   len=8     ACK
S->C WINDOW_UPDATE stream=0   len=4     increment=65535
S->C HEADERS       stream=1   len=23    :status=200 grpc-encoding=gzip
S->C DATA          stream=1   len=7     message=2B
S->C WINDOW_UPDATE stream=1   len=4     increment=10
S->C HEADERS       stream=1   len=24    grpc-status=0
S->C DATA          stream=3   len=0     END_STREAM
S->C RST_STREAM    stream=3   len=4     code=REFUSED_STREAM
S->C RST_STREAM    stream=5   len=4     code=unknown error code 0xbeef
S->C UNKNOWN_FRAME_TYPE_119 stream=7   len=1
S->C GOAWAY        stream=0   len=22    last-stream=3 code=ENHANCE_YOUR_CALM debug=too_many_pings
S->C GOAWAY        stream=0   len=8     last-stream=0 code=NO_ERROR
`, read(t, r.Bytes()))
}

func TestDecoder_AcceptsFramesCutAnywhere(t *testing.T) {
	r := record(t)
	r.headers(":status", "200", "x", strings.Repeat("y", 300))
	r.ok(r.WriteData(1, false, prefixed("good")[:2]))
	r.ok(r.WriteData(1, false, append(prefixed("good")[2:], prefixed("bye")...)))
	r.headers("grpc-status", "5", "grpc-message", "gone", "x", strings.Repeat("y", 300))
	r.ok(r.WriteGoAway(1, http2.ErrCodeNo, []byte("done")))
	want := read(t, r.Bytes())
	require.Equal(t, 6, strings.Count(want, "S->C"), want)
	for i := range r.Len() {
		require.Equal(t, want, read(t, r.Bytes()[:i], r.Bytes()[i:]), "cut at %d", i)
	}
	for size := 1; size <= 20; size++ {
		pieces := slices.Collect(slices.Chunk(r.Bytes(), size))
		require.Equal(t, want, read(t, pieces...), "pieces of %d bytes", size)
	}
}

func TestDecoder_FollowsHeadersInContinuation(t *testing.T) {
	r := record(t)
	block := r.encode(":status", "200", "secret", "?", "grpc-status", "5")
	n := len(block) - 1 // in the middle of the last field
	r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:n], EndStream: true}))
	r.ok(r.WriteContinuation(1, true, block[n:]))
	r.headers("grpc-status", "5", "secret", "?") // refers to the block before
	require.Equal(t, []string{"END_STREAM :status=200", "grpc-status=5", "grpc-status=5"}, r.details())
}

func TestDecoder_FollowsHeaderTableSize(t *testing.T) {
	r := record(t)
	r.hpack.SetMaxDynamicTableSizeLimit(1 << 20)
	var want []string
	for _, size := range []uint32{4096, 1 << 20, 0, 100, 65536} {
		r.hpack.SetMaxDynamicTableSize(size)
		for range 2 {
			r.headers("x", strings.Repeat("y", 10_000), "grpc-status", "5")
			want = append(want, "grpc-status=5")
		}
	}
	require.Equal(t, want, r.details())
}

func TestDecoder_EscapesTextOfPeer(t *testing.T) {
	for value, want := range map[string]string{
		"plain":                  "plain",
		"x grpc-status=0":        `"x grpc-status=0"`,
		`"`:                      `"\""`,
		`\x1b`:                   `"\\x1b"`,
		"\x1b[2J":                `"\x1b[2J"`,
		"a\r\nb":                 `"a\r\nb"`,
		"\xff\u202e\u009b\u00a0": `"\xff\u202e\u009b\u00a0"`,
	} {
		r := record(t)
		r.headers("grpc-message", value)
		require.Equal(t, []string{"grpc-message=" + want}, r.details())
		r.ok(r.WriteGoAway(0, http2.ErrCodeNo, []byte(value)))
		require.Contains(t, read(t, r.Bytes()), " debug="+want+"\n")
	}
}
