//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Nobody writes to the pipe. With os.Open, the first Ctrl-C would have no
// effect.
func TestOpen_WaitsForPipeUntilContextEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := open(ctx, path)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	writer, err := os.OpenFile(path, os.O_WRONLY, 0) // ends the goroutine of open
	require.NoError(t, err)
	require.NoError(t, writer.Close())
}
