package clientstream_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// license is the line that sha256sum prints for the file LICENSE, which has
// 11,358 bytes.
const license = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30  LICENSE\n"

func TestCommands_UploadAFileOrSayWhyNot(t *testing.T) {
	bin := testproc.Build(t, "./cmd/client", "./cmd/server")
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp) // the in-process server stores files there
	t.Setenv("TMP", temp)    // the same on Windows
	_, addr := startServer(t, bin, "-dir", dir, "-max-bytes", "11358")
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, 11359), 0o600))

	// A refusal can come before or after the line of progress. So that line
	// is optional, except where the table has it.
	for _, tt := range []struct {
		name           string
		command        []string
		status         int
		stdout, stderr string
	}{
		{"in process", []string{"client", "../LICENSE"}, 0, license, ""},
		{"over TCP", []string{"client", "-addr", addr, "../LICENSE"}, 0, license, "sent 11358 of 11358 bytes\n"},
		{"name in use", []string{"client", "-addr", addr, "../LICENSE"}, 1, "",
			`client: upload: AlreadyExists: name: must be new unless replace is set, got "LICENSE"` + "\n"},
		{"replace", []string{"client", "-addr", addr, "-replace", "../LICENSE"}, 0, license, ""},
		{"other name", []string{"client", "-addr", addr, "-name", "copy", "../LICENSE"}, 0,
			strings.Replace(license, "LICENSE", "copy", 1), ""},
		{"over the limit", []string{"client", "-addr", addr, large}, 1, "",
			"client: upload: ResourceExhausted: size: must not exceed 11358 bytes, got 11359\n"},
		{"a folder", []string{"client", "testdata"}, 1, "", "client: testdata: is a directory\n"},
		{"no file", []string{"client"}, 2, "", "client: file: must be one path, got [] (see -help)\n"},
		{"two files", []string{"client", "a", "b"}, 2, "", `client: file: must be one path, got ["a" "b"] (see -help)` + "\n"},
		{"no limit", []string{"server", "-max-bytes", "0"}, 2, "", "server: -max-bytes: must be at least 1, got 0 (see -help)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := testproc.Start(t, filepath.Join(bin, tt.command[0]), tt.command[1:]...).Wait()
			require.Equal(t, tt.status, status, "stderr: %s", stderr)
			require.Equal(t, tt.stdout, stdout)
			require.Regexp(t, `^(sent .* bytes\n)?`+regexp.QuoteMeta(tt.stderr)+"$", stderr)
		})
	}

	want, err := os.ReadFile("../LICENSE")
	require.NoError(t, err)
	for _, name := range []string{"LICENSE", "copy"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	require.Len(t, filesIn(t, dir), 2)
	require.Empty(t, filesIn(t, temp), "the in-process server removes its directory")
}

func TestClient_InterruptLeavesNothingAtServer(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a test cannot send Ctrl-C on Windows")
	}
	bin := testproc.Build(t, "./cmd/client", "./cmd/server")
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, nil, 0o600))
	require.NoError(t, os.Truncate(large, 1<<30)) // takes seconds to upload

	for name, path := range map[string]string{"file": large, "pipe": "/dev/stdin"} {
		t.Run(name, func(t *testing.T) {
			if name == "pipe" && runtime.GOOS != "linux" {
				t.Skip("on macOS, Close does not end a Read that waits for a pipe")
			}
			dir := t.TempDir()
			server, addr := startServer(t, bin, "-dir", dir)
			client := testproc.Start(t, filepath.Join(bin, "client"), "-addr", addr, path)
			require.Eventually(t, func() bool {
				partial, _ := filepath.Glob(filepath.Join(dir, ".upload-*"))
				return len(partial) == 1
			}, time.Minute, time.Millisecond)

			client.Signal(os.Interrupt)
			line := "" // of progress, at first
			for line != "client: interrupted" {
				line = client.Line(client.Stderr)
			}
			status, stdout, _ := client.Wait()
			require.Equal(t, 130, status)
			require.Empty(t, stdout)

			server.Signal(os.Interrupt)
			status, _, stderr := server.Wait()
			require.Equal(t, 0, status, "stderr: %s", stderr)
			require.Empty(t, filesIn(t, dir))
		})
	}
}

// startServer starts cmd/server on a free port and returns its address.
func startServer(t *testing.T, bin string, args ...string) (server *testproc.Process, addr string) {
	t.Helper()
	server = testproc.Start(t, filepath.Join(bin, "server"), append(args, "-addr", "localhost:0")...)
	require.Contains(t, server.Line(server.Stderr), "server: storing files in ")
	addr, ok := strings.CutPrefix(server.Line(server.Stderr), "server: listening on ")
	require.True(t, ok)
	return server, addr
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
