package unary

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTail_RefusesOnlyLinesAboveTheLimit(t *testing.T) {
	const limit = MaxSnapshotBytes
	long := strings.Repeat("x", limit-1) + "\n"
	half := strings.Repeat("y", limit/2-1) + "\n"
	for _, tt := range []struct {
		name, text string
		n          int
		want       int // lines, or 0 for the error
	}{
		{"one line of the limit", long, 1, 1},
		{"one line above the limit", "x" + long, 1, 0},
		{"without a newline", long[:limit-1], 1, 1},
		{"above the limit without a newline", "x" + long[:limit-1], 1, 0},
		{"two lines of the limit", half + half, 2, 2},
		{"two lines above the limit", half + "y" + half, 2, 0},
		{"a longer line before the last", "x" + long + long, 1, 1},
		{"an empty line before the limit", "\n" + long, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, err := tail(t.Context(), strings.NewReader(tt.text), int64(len(tt.text)), tt.n)
			if tt.want == 0 {
				require.ErrorIs(t, err, errTooLarge)
				return
			}
			require.NoError(t, err)
			require.Len(t, lines, tt.want)
			require.True(t, strings.HasSuffix(strings.TrimSuffix(tt.text, "\n"), string(bytes.Join(lines, newline))))
		})
	}
}

// tail reads the blocks that hold the last lines, and at most one more. It
// stops at the first block above the limit.
func TestTail_ReadsTheEndOnly(t *testing.T) {
	for text, blocks := range map[string]int{
		strings.Repeat("x\n", 4<<20): 1,                              // short lines
		strings.Repeat("x", 8<<20):   MaxSnapshotBytes/blockSize + 1, // one long line
	} {
		log := &slowFS{FS: file(text)}
		s := &SnapshotServer{FS: log, Name: "app.log"}
		_, _ = s.read(t.Context(), 10)
		require.Len(t, log.reads, blocks)
	}
}

// FuzzTail compares tail with a simple version, which splits the whole text.
func FuzzTail(f *testing.F) {
	f.Add([]byte("one\ntwo\n"), uint16(1), uint16(0))
	f.Add([]byte("\n\nlast"), uint16(2), uint16(blockSize-3))
	f.Add([]byte("x\n"), uint16(3), uint16(blockSize-1))
	f.Fuzz(func(t *testing.T, end []byte, n, pad uint16) {
		if n == 0 {
			t.Skip()
		}
		text := append(bytes.Repeat([]byte("ab\n"), int(pad)), end...)
		var want [][]byte
		if len(text) > 0 {
			want = bytes.Split(bytes.TrimSuffix(text, newline), newline)
			want = want[max(0, len(want)-int(n)):]
		}
		got, err := tail(t.Context(), bytes.NewReader(text), int64(len(text)), int(n))
		if len(bytes.Join(want, newline)) >= MaxSnapshotBytes {
			require.ErrorIs(t, err, errTooLarge)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
