// Package docs_test checks every page of the repository.
package docs_test

import (
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
