package unary

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
)

// MaxSnapshotBytes is the most that a server reads into memory for one
// snapshot.
const MaxSnapshotBytes = 8 << 20

const blockSize = 4 << 10

var errTooLarge = fmt.Errorf("lines: the snapshot exceeds %d bytes", MaxSnapshotBytes)

// tail returns the last n lines of a file. It reads from the end if the
// file can be read at an offset, else all of it.
func tail(ctx context.Context, fsys fs.FS, name string, n int) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if at, ok := f.(io.ReaderAt); ok && info.Mode().IsRegular() {
		return tailAt(ctx, at, info.Size(), n)
	}
	kept, err := readEnd(ctx, f)
	if err != nil {
		return nil, err
	}
	return tailAt(ctx, bytes.NewReader(kept), int64(len(kept)), n)
}

// tailAt returns the last n lines of the size bytes in r.
func tailAt(ctx context.Context, r io.ReaderAt, size int64, n int) ([]byte, error) {
	start, err := startOfLast(ctx, r, size, n)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(r, start, size-start))
}

// startOfLast returns the offset at which the last n lines begin.
func startOfLast(ctx context.Context, r io.ReaderAt, size int64, n int) (int64, error) {
	block := make([]byte, blockSize)
	// The last byte is left out: a newline there begins no line.
	for end := size - 1; end > 0; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begin := max(0, end-blockSize)
		b := block[:end-begin]
		if _, err := r.ReadAt(b, begin); err != nil {
			return 0, err
		}
		for i := bytes.LastIndexByte(b, '\n'); i >= 0; i = bytes.LastIndexByte(b[:i], '\n') {
			if n--; n == 0 {
				return begin + int64(i) + 1, nil
			}
		}
		if end = begin; size-end > MaxSnapshotBytes {
			return 0, errTooLarge
		}
	}
	return 0, nil
}

// readEnd reads r to its end. Of a long file it keeps the end only: enough
// for [startOfLast] to see that a snapshot is too large.
func readEnd(ctx context.Context, r io.Reader) ([]byte, error) {
	const keep = MaxSnapshotBytes + 2*blockSize
	var kept []byte
	block := make([]byte, blockSize)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(block)
		kept = append(kept, block[:n]...)
		if len(kept) > 2*keep {
			kept = append(kept[:0], kept[len(kept)-keep:]...)
		}
		if err == io.EOF {
			return kept, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
