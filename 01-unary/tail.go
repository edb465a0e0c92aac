package unary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Limits of one snapshot. A snapshot within both limits fits into the 4 MiB
// that a client receives by default.
const (
	MaxLines         = 10_000
	MaxSnapshotBytes = 1 << 20 // of the lines, newlines included
)

const blockSize = 64 << 10

var (
	errTooLarge  = fmt.Errorf("lines: must not exceed %d bytes in total", MaxSnapshotBytes)
	errTruncated = errors.New("truncated while it was read")
)

// tail returns the last n lines of the first size bytes of r, without their
// newlines. It reads from the end, a block at a time, until it has them.
func tail(ctx context.Context, r io.ReaderAt, size int64, n int) ([][]byte, error) {
	var text []byte // the bytes from start to size
	start := size
	for start > 0 && len(text) <= MaxSnapshotBytes && bytes.Count(text, newline) <= n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		block := make([]byte, min(blockSize, start))
		start -= int64(len(block))
		got, err := r.ReadAt(block, start)
		if got < len(block) && errors.Is(err, io.EOF) {
			return nil, errTruncated
		}
		if got < len(block) { // ReadAt then returns an error
			return nil, err
		}
		text = append(block, text...)
	}
	if len(text) == 0 {
		return nil, nil
	}
	lines := bytes.Split(bytes.TrimSuffix(text, newline), newline)
	lines = lines[max(0, len(lines)-n):]
	total := 0
	for _, line := range lines {
		total += len(line) + len(newline)
	}
	if total > MaxSnapshotBytes {
		return nil, errTooLarge
	}
	return lines, nil
}

var newline = []byte("\n")
