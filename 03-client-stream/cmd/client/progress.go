package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// newProgress returns what Upload calls as it goes, and what to call when
// it has ended: a bar for a person, lines for a log.
func newProgress(info *uploadv1.FileInfo) (progress func(sent int64), done func()) {
	if stat, err := os.Stderr.Stat(); err != nil || stat.Mode()&os.ModeCharDevice == 0 {
		return lines(os.Stderr, info), func() {}
	}
	total := int64(-1) // a bar without an end
	if info.Size != nil {
		total = info.GetSize()
	}
	bar := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription(info.GetName()),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionFullWidth())
	progress = func(sent int64) { _ = bar.Set64(sent) }
	return progress, func() { fmt.Fprintln(os.Stderr) }
}

// unknown is how many bytes there are to a line if nobody knows how many
// there are in all.
const unknown = 64 << 20

// lines writes a line for each tenth of the file.
func lines(w io.Writer, info *uploadv1.FileInfo) func(sent int64) {
	step, of := int64(unknown), ""
	if info.Size != nil {
		step = max(1, info.GetSize()/10)
		of = fmt.Sprintf(" of %d", info.GetSize())
	}
	next := step
	return func(sent int64) {
		if sent >= next {
			_, _ = fmt.Fprintf(w, "client: sent %d%s bytes\n", sent, of)
			next = sent - sent%step + step
		}
	}
}
