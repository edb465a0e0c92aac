package golden

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "# Title\n\n<!-- generated: table -->\n\nold\n\n<!-- end -->\n\nText.\n"

func TestFile_UpdateWritesWhatDiffers(t *testing.T) {
	t.Setenv("UPDATE", "1")
	path := filepath.Join(t.TempDir(), "new.txt")
	File(t, path, "one\n")
	requireContent(t, path, "one\n")
	File(t, path, "two\n")
	requireContent(t, path, "two\n")
}

func TestSection_UpdateKeepsTheRestOfThePage(t *testing.T) {
	t.Setenv("UPDATE", "1")
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
	Section(t, path, "table", "new\n")
	requireContent(t, path, "# Title\n\n<!-- generated: table -->\n\nnew\n\n<!-- end -->\n\nText.\n")
}

func TestWithoutUpdate_ADifferenceFails(t *testing.T) {
	t.Setenv("UPDATE", "")
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
	for name, check := range map[string]func(testing.TB){
		"file":            func(t testing.TB) { File(t, path, "other") },
		"missing file":    func(t testing.TB) { File(t, path+".gone", "") },
		"section":         func(t testing.TB) { Section(t, path, "table", "new\n") },
		"missing section": func(t testing.TB) { Section(t, path, "list", "old\n") },
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, fails(t, check))
			requireContent(t, path, page)
		})
	}
	require.False(t, fails(t, func(t testing.TB) { File(t, path, page) }))
	require.False(t, fails(t, func(t testing.TB) { Section(t, path, "table", "old\n") }))
}

func requireContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// fails reports whether check fails the test that it gets.
func fails(t *testing.T, check func(testing.TB)) bool {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // FailNow ends its goroutine
		defer close(done)
		check(r)
	}()
	<-done
	return r.failed
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) FailNow()              { r.failed = true; runtime.Goexit() }
