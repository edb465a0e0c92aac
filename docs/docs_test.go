// Package docs_test checks every page of the repository.
package docs_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/docscheck"
	"example.com/streams/internal/golden"
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

// lessons are the pages whose first use of a term must be a link to the
// glossary. Add a lesson when it is finished, and run UPDATE=1 go test ./docs,
// which makes the links.
var lessons = []string{
	"06-pitfalls/README.md",
	"07-production/README.md",
	"07-production/balancing/README.md",
	"07-production/balancing/sessions/README.md",
	"07-production/memory/README.md",
	"07-production/observability/README.md",
	"07-production/protocol/README.md",
	"07-production/proxies/README.md",
	"07-production/security/README.md",
}

func TestLessons_LinkTheFirstUseOfATerm(t *testing.T) {
	page, err := os.ReadFile("glossary.md")
	require.NoError(t, err)
	glossary := parseGlossary(string(page))
	for _, name := range lessons {
		source, err := os.ReadFile("../" + name)
		require.NoError(t, err)
		problems, linked := linkTerms(name, string(source), glossary, name == "01-unary/README.md")
		if golden.Update() && linked != string(source) {
			require.NoError(t, os.WriteFile("../"+name, []byte(linked), 0o644))
			continue
		}
		for _, problem := range problems {
			t.Error(problem)
		}
	}
}
