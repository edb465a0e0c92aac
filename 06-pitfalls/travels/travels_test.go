package travels

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/golden"
)

const page = "../../docs/how-a-stream-travels.md"

var scenarios = slices.Concat(rpcTypes, endings, connections)

// UPDATE=1 draws the diagrams of the page again.
func TestDiagrams_AreWhatIsRecorded(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			events, err := record(t, s)
			require.Equal(t, s.ends.String(), status.Code(err).String(), "%v", err)
			golden.Section(t, page, s.name, "<!-- diagram: TestDiagrams_AreWhatIsRecorded -->\n"+diagram(events))
		})
	}
}

func TestDiagrams_AreTheSameInEachRun(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			first, _ := record(t, s)
			for range 20 {
				again, _ := record(t, s)
				require.Equal(t, diagram(first), diagram(again))
			}
		})
	}
}
