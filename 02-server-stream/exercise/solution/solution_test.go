package solution

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/02-server-stream/exercise/grader"
	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
)

func TestSolution(t *testing.T) {
	grader.Exercise(func(documents iter.Seq2[*searchv1.Document, error]) searchv1.SearchServiceServer {
		return &Server{Documents: documents}
	}, Find).Run(t)
}

func TestStatsOf_AMissingNumberIsZero(t *testing.T) {
	require.Equal(t, Stats{Searched: 7}, StatsOf(map[string][]string{SearchedKey: {"7"}}))
	require.Equal(t, Stats{Searched: 7, Matched: 5}, StatsOf(Stats{Searched: 7, Matched: 5}.Trailer()))
}

// The hint "My code panics" says so.
func TestYield_AfterABreakPanics(t *testing.T) {
	rest := iter.Seq[int](func(yield func(int) bool) { yield(1); yield(2) })
	require.PanicsWithError(t, "runtime error: range function continued iteration after function for loop body returned false",
		func() {
			for range rest {
				break
			}
		})
}
