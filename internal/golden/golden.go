// Package golden compares what a test produced with a committed file, or
// with a section of a page.
//
// If the environment variable UPDATE is not empty, the functions write what
// the test produced instead of comparing it:
//
//	UPDATE=1 go test ./...
package golden

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Update reports whether tests write what they produce.
func Update() bool { return os.Getenv("UPDATE") != "" }

// File fails the test unless the file has the content got.
func File(t testing.TB, path, got string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err == nil && string(want) == got {
		return // also with UPDATE: an unchanged file is not written
	}
	if Update() {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s differs; UPDATE=1 go test rewrites it", path)
}

// Section fails the test unless the page has the text got between the lines
// <!-- generated: name --> and <!-- end -->, with a blank line on each side.
func Section(t testing.TB, page, name, got string) {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- generated: %s -->\n\n", name), "\n<!-- end -->"
	above, rest, ok := strings.Cut(string(content), begin)
	require.True(t, ok, "%s has no line <!-- generated: %s -->", page, name)
	_, below, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no line <!-- end --> below <!-- generated: %s -->", page, name)
	File(t, page, above+begin+got+end+below)
}
