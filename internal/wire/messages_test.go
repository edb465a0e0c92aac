package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMessage_SpansFrames(t *testing.T) {
	hello, two := prefixed("hello"), append(prefixed("hello"), prefixed("")...)
	large := append([]byte{0, 0, 0, 0xc3, 0x50}, make([]byte, 50_000)...)
	compressed := append([]byte{1}, prefixed("zip")[1:]...)
	for _, tt := range []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"one", [][]byte{hello}, []string{"message=5B"}},
		{"two in one frame", [][]byte{two}, []string{"message=5B message=0B"}},
		{"compressed", [][]byte{compressed}, []string{"message=3B compressed"}},
		{"cut in its prefix", [][]byte{hello[:3], hello[3:], hello}, []string{"prefix=3/5B", "message=5/5B", "message=5B"}},
		{"cut after its prefix", [][]byte{hello[:5], hello[5:]}, []string{"message=0/5B", "message=5/5B"}},
		{"around an empty frame", [][]byte{hello[:7], nil, hello[7:]}, []string{"message=2/5B", "", "message=5/5B"}},
		{"end and start", [][]byte{two[:6], two[6:]}, []string{"message=1/5B", "message=5/5B message=0B"}},
		{"of several frames", [][]byte{large[:16384], large[16384:32768], large[32768:]},
			[]string{"message=16379/50000B", "message=32763/50000B", "message=50000/50000B"}},
		{"4 GiB announced", [][]byte{{0, 255, 255, 255, 255, 0}}, []string{"message=1/4294967295B"}},
	} {
		r := record(t)
		for _, f := range tt.frames {
			r.ok(r.WriteData(1, false, f))
			r.ok(r.WriteData(3, false, prefixed("another stream")))
		}
		require.Equal(t, tt.want, r.details(), tt.name)
	}
}
