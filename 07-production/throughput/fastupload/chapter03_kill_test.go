// Code generated from 03-client-stream/kill_test.go; DO NOT EDIT.

package fastupload

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// In each round, kill -9 ends the client or the server at a random moment of
// an upload, or soon after it, and then the upload is tried again. KILLS=100 runs more rounds.
// SEED repeats the moments, as parts of the time that an upload takes.
func TestKill_LosesAndCorruptsNothing(t *testing.T) {
	bin, local, stored := testproc.Build(t, "./cmd/..."), t.TempDir(), t.TempDir()
	seed := fromEnv(t, "SEED", int(time.Now().Unix()))
	t.Logf("SEED=%d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	startServer := func() (*testproc.Process, string) {
		return testproc.StartServer(t, filepath.Join(bin, "server"), "-dir", stored)
	}
	server, addr := startServer()
	took := 100 * time.Millisecond // for an upload
	receipts := map[string]string{}
	outcomes := map[string]int{}
	for i := range fromEnv(t, "KILLS", 4) {
		name := fmt.Sprint("f", i)
		path := filepath.Join(local, name)
		receipts[name] = writeRandom(t, path, random)
		upload := func() *testproc.Process {
			return testproc.Start(t, filepath.Join(bin, "client"), "-addr", addr, path)
		}

		client := upload()
		<-time.After(time.Duration(1.25 * random.Float64() * float64(took)))
		if i%2 == 0 {
			client.Signal(os.Kill)
			outcomes["client killed"]++
		} else {
			server.Signal(os.Kill)
			outcomes["server killed"]++
		}
		_, stdout, _ := client.Wait()
		if _, err := os.Stat(filepath.Join(stored, name)); stdout == "" && err == nil {
			outcomes["stored without a receipt"]++
		} else if stdout != "" {
			require.Equal(t, receipts[name], stdout)
			require.Equal(t, receipts[name], receiptOf(t, filepath.Join(stored, name)))
			outcomes["receipt"]++
		}

		if i%2 == 1 {
			server, addr = startServer()
		}
		start := time.Now()
		if status, _, stderr := upload().Wait(); status != 0 {
			require.Contains(t, stderr, "client: upload: AlreadyExists: ")
		} else {
			took = time.Since(start)
		}
		require.Equal(t, receipts[name], receiptOf(t, filepath.Join(stored, name)))
	}
	files, err := filepath.Glob(filepath.Join(stored, "f*"))
	require.NoError(t, err)
	require.Len(t, files, len(receipts))
	for _, path := range files {
		require.Equal(t, receipts[filepath.Base(path)], receiptOf(t, path))
	}
	t.Logf("%v of %d rounds", outcomes, len(receipts))
}

// writeRandom writes 4 MiB of random bytes, and returns what the client
// prints when they are stored.
func writeRandom(t *testing.T, path string, random *rand.Rand) string {
	t.Helper()
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	text, err := io.ReadAll(io.LimitReader(rand.NewChaCha8(seed), 4<<20))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return receiptOf(t, path)
}

// receiptOf returns what the client prints when the file is stored.
func receiptOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return fmt.Sprintf("%x  %s\n", sha256.Sum256(text), filepath.Base(path))
}

// fromEnv returns the number in an environment variable.
func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}
