package clientstream_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	const (
		license = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30" // as sha256sum prints it
		sent    = "sent 11358 of 11358 bytes\n"
	)

	t.Run("client uploads to the in-process server", func(t *testing.T) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp) // where that server stores files
		t.Setenv("TMP", temp)    // the same on Windows
		testproc.Start(t, client, "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		require.Empty(t, filesIn(t, temp))
	})
	t.Run("server stores files in -dir", func(t *testing.T) {
		files := t.TempDir()
		_, addr := testproc.StartServer(t, server, "-dir", files)
		testproc.Start(t, client, "-addr", addr, "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		testproc.Start(t, client, "-addr", addr, "-replace", "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		testproc.Start(t, client, "-addr", addr, "-name=copy", "../LICENSE").RequireExit(0, license+"  copy\n", sent)
		want, err := os.ReadFile("../LICENSE")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"LICENSE": string(want), "copy": string(want)}, filesIn(t, files))
	})
	t.Run("server refuses more than -max-bytes", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-dir", t.TempDir(), "-max-bytes=11357")
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "../LICENSE").Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		stderr = strings.TrimPrefix(stderr, sent) // the refusal may come before or after this line
		require.Equal(t, "client: upload: ResourceExhausted: size: must not exceed 11357 bytes, got 11358\n", stderr)
	})
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "large"), "pipe": "/dev/stdin"} {
		t.Run("Ctrl-C ends the upload of a "+name, func(t *testing.T) {
			if name == "pipe" && runtime.GOOS != "linux" {
				t.Skip("only on Linux does Close end a Read of /dev/stdin")
			}
			if name == "file" {
				require.NoError(t, os.WriteFile(path, nil, 0o600))
				require.NoError(t, os.Truncate(path, 1<<30)) // takes seconds to upload
			}
			files := t.TempDir()
			s, addr := testproc.StartServer(t, server, "-dir", files)
			c := testproc.Start(t, client, "-addr", addr, path)
			require.Eventually(t, func() bool {
				partial, _ := filepath.Glob(filepath.Join(files, ".upload-*"))
				return len(partial) == 1
			}, time.Minute, time.Millisecond)

			c.Signal(os.Interrupt)
			for c.Line(c.Stderr) != "client: interrupted" { // lines of progress come first
			}
			c.RequireExit(130, "", "")
			s.Signal(os.Interrupt)
			s.RequireExit(0, "", "")
			require.Empty(t, filesIn(t, files))
		})
	}
	t.Run("client refuses a directory", func(t *testing.T) {
		testproc.Start(t, client, "testdata").RequireExit(1, "", "client: testdata: is a directory\n")
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client, "a", "b").
			RequireExit(2, "", `client: file: must be one path, got ["a" "b"] (see -help)`+"\n")
		testproc.Start(t, server, "-max-bytes=0").
			RequireExit(2, "", "server: -max-bytes: must be at least 1, got 0 (see -help)\n")
	})
}

// filesIn returns the text of each file in dir.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	files := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		files[entry.Name()] = string(text)
	}
	return files
}
