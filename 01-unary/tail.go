package unary

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// MaxSnapshotBytes is the size limit of the lines of one snapshot, newlines
// included: 8 MiB.
const MaxSnapshotBytes = 8 << 20

const blockSize = 4 << 10

var errTooLarge = fmt.Errorf("lines: must not exceed %d bytes in total", MaxSnapshotBytes)

// tail reads r to its end and returns the last n lines without their
// newlines.
func tail(ctx context.Context, r io.Reader, n int) ([][]byte, error) {
	var text []byte // what may still belong to the last n lines
	newlines := 0
	block := make([]byte, blockSize)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		size, err := r.Read(block)
		text = append(text, block[:size]...)
		newlines += bytes.Count(block[:size], newline)
		// One byte more than the limit shows that the lines exceed the
		// limit.
		if over := len(text) - (MaxSnapshotBytes + 1); over > 0 {
			newlines -= bytes.Count(text[:over], newline)
			text = text[over:]
		}
		for ; newlines > n; newlines-- {
			_, text, _ = bytes.Cut(text, newline)
		}
		if err == io.EOF {
			lines := split(text)
			if len(lines) <= n && len(text) > MaxSnapshotBytes {
				return nil, errTooLarge
			}
			return lines[max(0, len(lines)-n):], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

var newline = []byte("\n")

// split cuts text into lines without their newlines.
func split(text []byte) [][]byte {
	if len(text) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(text, newline), newline)
}
