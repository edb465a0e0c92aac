package clientstream

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestClientCommand(t *testing.T) {
	client := filepath.Join(testproc.Build(t, "./cmd/client"), "client")

	t.Run("refuses a directory", func(t *testing.T) {
		testproc.Start(t, client, "testdata").RequireExit(1, "", "client: testdata: is a directory\n")
	})
	t.Run("reports a file that it cannot open", func(t *testing.T) {
		_, err := os.Open("missing")
		testproc.Start(t, client, "missing").RequireExit(1, "", fmt.Sprintf("client: %v\n", err))
	})
	t.Run("uploads a pipe", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has no /dev/stdin")
		}
		c := testproc.Start(t, client, "-name=hello.txt", "/dev/stdin")
		c.Type("hello, world\n")
		c.RequireExit(0, fmt.Sprintf("%x  hello.txt\n", sha256.Sum256([]byte("hello, world\n"))), "")
	})
	t.Run("uploads a file whose size is 0 but that is not empty", func(t *testing.T) {
		text, err := os.ReadFile("/proc/version")
		if err != nil {
			t.Skipf("no such file here: %v", err)
		}
		testproc.Start(t, client, "/proc/version").
			RequireExit(0, fmt.Sprintf("%x  version\n", sha256.Sum256(text)), "")
	})
	t.Run("uploads a growing file as it was", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		text := make([]byte, 8<<20) // more than the client can send before the handler receives
		require.NoError(t, os.WriteFile(path, text, 0o600))
		s := newServer(t)
		addr := listenTCP(t, stub{OnUpload: func(stream serverStream) error {
			log, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = log.WriteString("one more line\n")
				err = errors.Join(err, log.Close())
			}
			return errors.Join(err, s.Upload(stream))
		}})
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, path).Wait()
		require.Equal(t, 0, status, stderr)
		require.Equal(t, fmt.Sprintf("%x  log\n", sha256.Sum256(text)), stdout)
	})
	t.Run("fails if it cannot print the checksum", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skipf("no full disk here: %v", err)
		}
		c := testproc.StartCmd(t, exec.Command("sh", "-c", `exec "$0" ../LICENSE > /dev/full`, client))
		c.RequireExit(1, "", sent+"client: the file is stored, but: write /dev/stdout: no space left on device\n")
	})
	t.Run("Ctrl-C after the half-close says that the file may be stored", func(t *testing.T) {
		received := make(chan error, 1)
		addr := listenTCP(t, stub{OnUpload: neverAnswer(received)})
		c := testproc.Start(t, client, "-addr", addr, "../LICENSE")
		require.Equal(t, io.EOF, <-received)
		c.Signal(os.Interrupt)
		c.RequireExit(130, "", sent+"client: no receipt: the file may be stored\nclient: interrupted\n")
	})
	t.Run("gives up on a server that does not answer", func(t *testing.T) {
		addr := listenTCP(t, stub{OnUpload: neverAnswer(make(chan error, 1))})
		start := time.Now()
		testproc.Start(t, client, "-addr", addr, "-idle=1s", "../LICENSE").
			RequireExit(1, "", sent+"client: no receipt: the file may be stored\n"+
				"client: upload: nothing was sent or received for 1s\n")
		require.Greater(t, time.Since(start), time.Second)
	})
}

// neverAnswer returns a handler that receives until the half-close, and then
// waits until the client has left.
func neverAnswer(received chan<- error) func(serverStream) error {
	return func(stream serverStream) error {
		var err error
		for err == nil {
			_, err = stream.Recv()
		}
		received <- err
		<-stream.Context().Done()
		return stream.Context().Err()
	}
}
