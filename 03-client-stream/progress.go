package clientstream

import (
	"fmt"
	"io"
	"strings"
)

// ProgressBar returns a progress function for [Upload] that draws a bar on
// a terminal. It writes no newline: the caller does, after Upload. size is the number of bytes of the file. If size is 0, the size is
// unknown, and the bar shows the number of MiB instead. The function must not
// be called concurrently, and it ignores errors of w.
func ProgressBar(w io.Writer, size int64) func(sent int64) {
	drawn := ""
	return func(sent int64) {
		if text := bar(sent, size); text != drawn {
			_, _ = fmt.Fprintf(w, "\r%s", text)
			drawn = text
		}
	}
}

func bar(sent, size int64) string {
	if size == 0 {
		return fmt.Sprintf("%d MiB", sent>>20)
	}
	percent := min(100, 100*sent/size) // a file can grow while it is read
	return fmt.Sprintf("[%-50s] %3d%% of %d bytes", strings.Repeat("=", int(percent/2)), percent, size)
}

// ProgressLines returns a progress function for [Upload] that writes a line
// when about another tenth of the file, or more, has been sent. size is the
// number of bytes of the file. If size is 0, the size is unknown, and the step
// is 64 MiB. The function must not be called concurrently, and it ignores
// errors of w.
func ProgressLines(w io.Writer, size int64) func(sent int64) {
	step, of := int64(64<<20), ""
	if size > 0 {
		step = max(1, size/10)
		of = fmt.Sprintf(" of %d", size)
	}
	next := step
	return func(sent int64) {
		if sent >= next {
			_, _ = fmt.Fprintf(w, "sent %d%s bytes\n", sent, of)
			next = sent - sent%step + step
		}
	}
}
