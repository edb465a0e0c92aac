package sharedlog

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGenerate_EndsTenSecondsAfterItsContext(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, k := l.log()
		require.NoError(t, log.Open(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(3500*time.Millisecond, func() { k.setSilent(true) })
		time.AfterFunc(20*time.Second, cancel)
		n, err := Generate(ctx, log, 0, time.Second)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 3, n)
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

// The line that was begun is completed.
func TestGenerate_CompletesTheLine(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, k := l.log()
		require.NoError(t, log.Open(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3500*time.Millisecond, func() { k.setSilent(true) })
		time.AfterFunc(20*time.Second, cancel)
		time.AfterFunc(25*time.Second, func() { k.setSilent(false) })
		n, err := Generate(ctx, log, 0, time.Second)
		require.NoError(t, err)
		require.Equal(t, 4, n)
	})
}
