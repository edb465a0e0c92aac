package solution

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
	"example.com/streams/05-cancellation/exercise/grader"
)

func TestSolution(t *testing.T) {
	grader.Exercise(func(upstream feedv1.FeedServiceClient) grader.Relay { return NewRelay(upstream) }).Run(t)
}

// Only Follow has mistakes.
func TestSolution_ChangesNeitherNewRelayNorDrain(t *testing.T) {
	const from, to = "// A Relay implements", "// Follow "
	var given []string
	for _, file := range []string{"../grader/stub.go.txt", "solution.go"} {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		_, rest, ok := strings.Cut(string(code), from)
		require.True(t, ok, file)
		part, _, ok := strings.Cut(rest, to)
		require.True(t, ok, file)
		given = append(given, part)
	}
	require.Equal(t, given[0], given[1])
	require.Contains(t, given[0], "func NewRelay(")
	require.Contains(t, given[0], ") Drain()")
}
