package journal

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJournal_KeepsTheNewestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(2, time.Second)
		oldest, newest := j.Range()
		require.Equal(t, []uint64{1, 0}, []uint64{oldest, newest}, "an empty journal")
		for n := range 3 {
			j.Append(fmt.Sprint("line ", n+1))
		}
		oldest, newest = j.Range()
		require.Equal(t, []uint64{2, 3}, []uint64{oldest, newest})
		for sequence, want := range []string{" false", " false", "line 2 true", "line 3 true", " false"} {
			start := time.Now()
			text, ok := j.Line(uint64(sequence))
			require.Equal(t, want, fmt.Sprint(text, " ", ok), "line %d", sequence)
			require.Equal(t, time.Second, time.Since(start))
		}
		time.AfterFunc(time.Second/2, func() { j.Append("line 4") })
		_, ok := j.Line(2)
		require.False(t, ok, "the line is dropped while Line takes its time")
	})
}

// With -race, the test fails if the methods share data without a lock.
func TestJournal_MethodsRunConcurrently(t *testing.T) {
	j := New(2, 0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			j.Append("line")
			_, newest := j.Range()
			j.Line(newest)
		})
	}
	wg.Wait()
	_, newest := j.Range()
	require.EqualValues(t, 4, newest)
}
