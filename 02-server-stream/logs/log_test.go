package logs

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An entry may be appended after a handler has read all entries and before
// the handler waits.
func TestWait_SeesAnEntryThatIsAlreadyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		require.NoError(t, log.wait(t.Context(), 2))
	})
}

func TestDrain_MakesAppendDoNothing(t *testing.T) {
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

func TestNewLog_HoldsAtLeastOneEntry(t *testing.T) {
	for _, retention := range []int{-1, 0, 1} {
		log := NewLog(retention)
		appendLines(log, 2)
		require.Len(t, log.entries, 1)
		require.Equal(t, "line 2", log.entries[0].GetMessage())
	}
}
