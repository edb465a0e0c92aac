// Package wiretest compares the HTTP/2 frames of a call with a golden file.
package wiretest

import (
	"strings"
	"testing"
	"testing/synctest"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/wire"
)

// Frames runs call in a bubble, waits until nothing moves, and compares the
// frames of all streams that tap has printed with the file. UPDATE=1
// rewrites the file. The length of the client's HEADERS frames
// can depend on the version of grpc-go, which they contain.
func Frames(t *testing.T, file string, call func(t *testing.T, tap *wire.Tap)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		call(t, tap)
		synctest.Wait()
		golden.File(t, file, frames.String())
	})
}
