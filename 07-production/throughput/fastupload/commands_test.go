package fastupload

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

const (
	license = "../../../LICENSE"
	receipt = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30  LICENSE\n" // as sha256sum prints it
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	stored := func(t *testing.T, p *testproc.Process) {
		t.Helper()
		status, stdout, stderr := p.Wait()
		require.Zero(t, status, stderr)
		require.Equal(t, receipt, stdout)
		require.Regexp(t, `^client: 11358 bytes in [\d.]+m?s\n$`, stderr)
	}
	t.Run("client uploads to the in-process server", func(t *testing.T) {
		stored(t, testproc.Start(t, client, license))
		stored(t, testproc.Start(t, client, "-plain", license))
	})
	t.Run("server stores files in -dir", func(t *testing.T) {
		files := t.TempDir()
		p, addr := testproc.StartServer(t, server, "-dir", files, "-max-bytes=11358")
		stored(t, testproc.Start(t, client, "-addr", addr, license))
		testproc.Start(t, client, "-addr", addr, license).RequireExit(1, "",
			"client: upload: AlreadyExists: name: must be new unless replace is set, got \"LICENSE\"\n")
		stored(t, testproc.Start(t, client, "-addr", addr, "-replace", "-plain", license))
		want, err := os.ReadFile(license)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(files, "LICENSE"))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		p.Signal(os.Interrupt)
		p.RequireExit(0, "", "")
	})
	t.Run("server refuses more than -max-bytes", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-dir", t.TempDir(), "-max-bytes=11357")
		testproc.Start(t, client, "-addr", addr, license).RequireExit(1, "",
			"client: upload: ResourceExhausted: size: must not exceed 11357 bytes, got 11358\n")
	})
	t.Run("server refuses a -dir that does not exist", func(t *testing.T) {
		_, err := os.OpenRoot("missing")
		testproc.Start(t, server, "-addr=localhost:0", "-dir=missing").
			RequireExit(1, "", fmt.Sprintf("server: -dir: %v\n", err))
	})
	t.Run("client refuses what is not a file", func(t *testing.T) {
		testproc.Start(t, client, ".").RequireExit(1, "", "client: .: must be a regular file\n")
		_, err := os.Stat("missing")
		testproc.Start(t, client, "missing").RequireExit(1, "", fmt.Sprintf("client: %v\n", err))
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client).RequireExit(2, "", "client: file: must be one path, got [] (see -help)\n")
		testproc.Start(t, server, "-max-bytes=0").
			RequireExit(2, "", "server: -max-bytes: must be at least 1, got 0 (see -help)\n")
	})
}
