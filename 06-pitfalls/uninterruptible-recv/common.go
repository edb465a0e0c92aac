package uninterruptiblerecv

import (
	"errors"
	"io"
)

// end makes of the error of Recv what a handler returns.
func end(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
