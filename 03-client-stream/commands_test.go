package clientstream

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/testproc"
)

const (
	license = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30" // as sha256sum prints it
	sent    = "sent 11358 of 11358 bytes\n"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	t.Run("client uploads to the in-process server", func(t *testing.T) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp) // where that server stores files
		t.Setenv("TMP", temp)    // the same on Windows
		testproc.Start(t, client, "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		require.Empty(t, filesIn(t, temp))
	})
	t.Run("client shows a bar in a terminal", func(t *testing.T) {
		if _, err := exec.LookPath("script"); err != nil || runtime.GOOS != "linux" {
			t.Skip("no script of Linux, which runs a command in a terminal")
		}
		c := testproc.StartCmd(t, exec.Command("script", "-qec", client+" ../LICENSE", os.DevNull))
		status, stdout, _ := c.Wait()
		require.Zero(t, status, stdout)
		require.Contains(t, stdout, "\r["+strings.Repeat("=", 50)+"] 100% of 11358 bytes")
	})
	t.Run("server stores files in -dir", func(t *testing.T) {
		files := t.TempDir()
		_, addr := testproc.StartServer(t, server, "-dir", files)
		testproc.Start(t, client, "-addr", addr, "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		requireRefused(t, testproc.Start(t, client, "-addr", addr, "../LICENSE"),
			`AlreadyExists: name: must be new unless replace is set, got "LICENSE"`)
		testproc.Start(t, client, "-addr", addr, "-replace", "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		testproc.Start(t, client, "-addr", addr, "-name=copy", "../LICENSE").RequireExit(0, license+"  copy\n", sent)
		want, err := os.ReadFile("../LICENSE")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"LICENSE": string(want), "copy": string(want)}, filesIn(t, files))
	})
	t.Run("server leaves files in the folder that it prints", func(t *testing.T) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		t.Setenv("TMP", temp) // the same on Windows
		s := testproc.Start(t, server, "-addr=localhost:0")
		folder, ok := strings.CutPrefix(s.Line(s.Stderr), "server: storing files in ")
		require.True(t, ok)
		addr, ok := strings.CutPrefix(s.Line(s.Stderr), "server: listening on ")
		require.True(t, ok)
		testproc.Start(t, client, "-addr", addr, "../LICENSE").RequireExit(0, license+"  LICENSE\n", sent)
		s.Signal(os.Interrupt)
		s.RequireExit(0, "", "")
		require.Contains(t, filesIn(t, folder), "LICENSE")
	})
	t.Run("server refuses more than -max-bytes", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-dir", t.TempDir(), "-max-bytes=11357")
		requireRefused(t, testproc.Start(t, client, "-addr", addr, "../LICENSE"),
			"ResourceExhausted: size: must not exceed 11357 bytes, got 11358")
	})
	t.Run("server refuses a message of more than 4 MiB", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-dir", t.TempDir())
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		for size, want := range map[int]codes.Code{4<<20 - 100: codes.OK, 4 << 20: codes.ResourceExhausted} {
			messages := sends(info(fmt.Sprint("f", size)), chunkRequest(make([]byte, size)))
			_, err := open(t, t.Context(), uploadv1.NewUploadServiceClient(conn), messages...).CloseAndRecv()
			requireCode(t, want, err)
		}
	})
	t.Run("server permits 1 MiB of unread data", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-dir", t.TempDir())
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(http2.ClientPreface))
		require.NoError(t, err)
		frame, err := http2.NewFramer(conn, conn).ReadFrame()
		require.NoError(t, err)
		window, _ := frame.(*http2.SettingsFrame).Value(http2.SettingInitialWindowSize)
		require.EqualValues(t, 1<<20, window)
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
	t.Run("-help tells the limits", func(t *testing.T) {
		_, _, stderr := testproc.Start(t, client, "-help").Wait()
		require.Contains(t, stderr, "give up if nothing can be sent or received for this duration (default 2m0s)")
		_, _, stderr = testproc.Start(t, server, "-help").Wait()
		require.Contains(t, stderr, "refuse files of more than this many bytes (default 1073741824)")
	})
	t.Run("server refuses a -dir that does not exist", func(t *testing.T) {
		_, err := os.OpenRoot("missing")
		testproc.Start(t, server, "-addr=localhost:0", "-dir=missing").
			RequireExit(1, "", fmt.Sprintf("server: -dir: %v\n", err))
	})
	t.Run("wrong usage", func(t *testing.T) {
		for want, args := range map[string][]string{
			"file: must be one path, got []":               nil,
			`file: must be one path, got ["a" "b"]`:        {"a", "b"},
			"-idle: must be positive, got 0s":              {"-idle=0", "../LICENSE"},
			"-addr: address host: missing port in address": {"-addr=host", "../LICENSE"},
		} {
			testproc.Start(t, client, args...).RequireExit(2, "", "client: "+want+" (see -help)\n")
		}
		for want, args := range map[string][]string{
			"-max-bytes: must be at least 1, got 0":        {"-max-bytes=0"},
			"-addr: address host: missing port in address": {"-addr=host"},
		} {
			testproc.Start(t, server, args...).RequireExit(2, "", "server: "+want+" (see -help)\n")
		}
	})
}

// requireRefused requires that c ends because the server refuses the upload
// of LICENSE.
func requireRefused(t *testing.T, c *testproc.Process, says string) {
	t.Helper()
	status, stdout, stderr := c.Wait()
	require.Equal(t, 1, status)
	require.Empty(t, stdout)
	stderr = strings.TrimPrefix(stderr, sent) // the refusal may come before or after this line
	require.Equal(t, "client: upload: "+says+"\n", stderr)
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
