// Code generated from 02-server-stream/logs/log_test.go; DO NOT EDIT.

package fastlog

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An entry may be appended after a handler has read all entries and before
// the handler waits.
func TestWait_SeesAnEntryThatIsAlreadyThere(t *testing.T) {
	withEachClient(t, testWait_SeesAnEntryThatIsAlreadyThere)
}

func testWait_SeesAnEntryThatIsAlreadyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		require.NoError(t, log.wait(t.Context(), 2))
	})
}

func TestDrain_MakesAppendDoNothing(t *testing.T) { withEachClient(t, testDrain_MakesAppendDoNothing) }

func testDrain_MakesAppendDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		log.Drain()
		log.Drain() // has no effect
		appendLines(log, 1)
		err := log.wait(t.Context(), 3)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
	})
}

func TestAppend_HoldsAtMostMaxLogBytes(t *testing.T) {
	withEachClient(t, testAppend_HoldsAtMostMaxLogBytes)
}

func testAppend_HoldsAtMostMaxLogBytes(t *testing.T) {
	log := NewLog(10_000)
	for range 64<<20/(16<<10) + 3 {
		log.Append(strings.Repeat("x", 16<<10), false)
	}
	oldest, _, size := held(log)
	require.EqualValues(t, 4, oldest)
	require.Equal(t, 64<<20, size)

	log.Append("y", false) // one entry has to go
	oldest, _, size = held(log)
	require.EqualValues(t, 5, oldest)
	require.Equal(t, 64<<20-16<<10+1, size)
	require.Equal(t, size, log.bytes)

	log.Append(strings.Repeat("z", 64<<20+1), false) // is held alone
	oldest, newest, size := held(log)
	require.Equal(t, newest, oldest)
	require.Equal(t, 64<<20+1, size)

	log.Append("y", false)
	oldest, newest, size = held(log)
	require.Equal(t, newest, oldest)
	require.Equal(t, 1, size)
}

func TestNewLog_HoldsAtLeastOneEntry(t *testing.T) {
	withEachClient(t, testNewLog_HoldsAtLeastOneEntry)
}

func testNewLog_HoldsAtLeastOneEntry(t *testing.T) {
	for _, retention := range []int{-1, 0, 1} {
		log := NewLog(retention)
		appendLines(log, 2)
		require.Len(t, log.entries, 1)
		oldest, newest, size := held(log)
		require.EqualValues(t, 2, oldest)
		require.EqualValues(t, 2, newest)
		require.Equal(t, len("line 2"), size)
	}
}
