package unary

import (
	"bytes"
	"io"
	"runtime"
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
		{"without a newline", "x" + long[:limit-1], 1, 1},
		{"above the limit without a newline", "xx" + long[:limit-1], 1, 0},
		{"two lines above the limit", half + "y" + half, 2, 0},
		{"a longer line before the last", "x" + long + long, 1, 1},
		{"many more bytes than the limit", long + half + half, 2, 2},
		{"an empty line before the limit", "\n" + long, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, err := tail(t.Context(), strings.NewReader(tt.text), tt.n)
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

func TestTail_HoldsLastLinesOnly(t *testing.T) {
	for block, most := range map[string]uint64{
		strings.Repeat("x", blockSize):     2 * MaxSnapshotBytes, // one long line
		strings.Repeat("x\n", blockSize/2): MaxSnapshotBytes / 2, // many lines
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		blocks := 4 * MaxSnapshotBytes / blockSize
		_, _ = tail(t.Context(), readerFunc(func(p []byte) (int, error) {
			if blocks--; blocks >= 0 {
				return copy(p, block), nil
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			return 0, io.EOF
		}), 10)
		require.Less(t, after.HeapAlloc, before.HeapAlloc+most, "bytes on the heap")
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
