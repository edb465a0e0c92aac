package clientstream

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProgressBar_RedrawsOneLineAsItChanges(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int64
		sent []int64
		want string
	}{
		{"size known", 3000, []int64{0, 1, 1500, 1529, 3000},
			"\r[                                                  ]   0% of 3000 bytes" +
				"\r[=========================                         ]  50% of 3000 bytes" +
				"\r[==================================================] 100% of 3000 bytes"},
		{"file grows", 2, []int64{2, 3},
			"\r[==================================================] 100% of 2 bytes"},
		{"size unknown", 0, []int64{0, 1<<20 - 1, 1 << 20, 2<<30 + 1}, "\r0 MiB\r1 MiB\r2048 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, written(ProgressBar, tt.size, tt.sent))
		})
	}
}

func TestProgressLines_WriteALineForEachTenth(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int64
		sent []int64
		want string
	}{
		{"small steps", 100, []int64{0, 4, 9, 11, 12, 19, 20}, "sent 11 of 100 bytes\nsent 20 of 100 bytes\n"},
		{"large steps", 100, []int64{0, 55, 59, 60, 100}, "sent 55 of 100 bytes\nsent 60 of 100 bytes\nsent 100 of 100 bytes\n"},
		{"tiny file", 5, []int64{0, 5}, "sent 5 of 5 bytes\n"},
		{"size unknown", 0, []int64{0, 64<<20 - 1, 64 << 20, 65 << 20, 128 << 20}, "sent 67108864 bytes\nsent 134217728 bytes\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, written(ProgressLines, tt.size, tt.sent))
		})
	}
}

// A brokenWriter fails once.
type brokenWriter struct {
	strings.Builder
	failed bool
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if !w.failed {
		w.failed = true
		return 0, io.ErrClosedPipe
	}
	return w.Builder.Write(p)
}

func TestProgress_GoesOnAfterAnErrorOfItsWriter(t *testing.T) {
	for name, newProgress := range map[string]func(io.Writer, int64) func(int64){
		"bar": ProgressBar, "lines": ProgressLines,
	} {
		t.Run(name, func(t *testing.T) {
			w := new(brokenWriter)
			progress := newProgress(w, 100)
			progress(50)
			progress(100)
			require.True(t, w.failed)
			require.Contains(t, w.String(), "of 100 bytes")
		})
	}
}

// written returns what a progress function writes.
func written(newProgress func(io.Writer, int64) func(int64), size int64, sent []int64) string {
	var out strings.Builder
	progress := newProgress(&out, size)
	for _, n := range sent {
		progress(n)
	}
	return out.String()
}
