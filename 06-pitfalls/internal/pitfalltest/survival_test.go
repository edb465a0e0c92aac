package pitfalltest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestForever_CountsChildrenUntilTheyAreCanceled(t *testing.T) {
	parent := &forever{Context: t.Context(), done: make(chan struct{})}
	first, cancelFirst := context.WithCancel(parent)
	second, cancelSecond := context.WithTimeout(parent, time.Hour)
	_, cancelGrandchild := context.WithCancel(first)
	defer cancelGrandchild()
	require.EqualValues(t, 2, parent.children.Load())
	cancelFirst()
	cancelFirst()
	require.EqualValues(t, 1, parent.children.Load())
	cancelSecond()
	require.EqualValues(t, 0, parent.children.Load())
	require.Error(t, second.Err())
}

func TestCodeThatRuns_FindsAGoroutineThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Empty(t, codeThatRuns())
		end := make(chan struct{})
		go func() { <-end }()
		synctest.Wait()
		require.Len(t, codeThatRuns(), 1)
		close(end)
		synctest.Wait()
		require.Empty(t, codeThatRuns())
	})
}
