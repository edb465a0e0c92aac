// Package docs_test checks every page of the repository.
package docs_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/docscheck"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/wire/wiresvg"
)

func TestPages_AgreeWithTheCode(t *testing.T) {
	problems, err := docscheck.Check("..", docscheck.Options{
		Update: golden.Update(),
		Short:  testing.Short(),
	})
	require.NoError(t, err)
	for _, problem := range problems {
		t.Error(problem)
	}
}

// The picture of the front page is drawn from what a test of chapter 02
// recorded. UPDATE=1 draws it again.
func TestFollowSVG_IsTheRecordedStream(t *testing.T) {
	recording, err := os.ReadFile("../02-server-stream/logs/testdata/follow.txt")
	require.NoError(t, err)
	svg, err := wiresvg.Draw("A stream on the wire: two messages, then the client cancels", string(recording))
	require.NoError(t, err)
	golden.File(t, "follow.svg", svg)
}
