package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	bidi "example.com/streams/04-bidi"
)

// readLines says the lines of r, and closes say at the end of r. It skips
// empty lines and cleans the others, since a server refuses both.
func readLines(ctx context.Context, r io.Reader, say chan<- string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		asked()
		select {
		case say <- bidi.Clean(lines.Text()):
		case <-ctx.Done():
			return nil
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("stdin: a line has %d bytes or more", bufio.MaxScanTokenSize)
	}
	if lines.Err() != nil {
		return fmt.Errorf("stdin: %w", lines.Err())
	}
	owed.Wait()
	close(say)
	return nil
}
