package protocol

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

func TestNaive_ErrorOfOneItemLosesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		client := dial(t, &NaiveServer{Run: j.run})
		start := time.Now()

		outputs, err := NaiveWork(t.Context(), client, []string{"1s", "1s", "soon", "1s"})

		requireStatus(t, err, codes.InvalidArgument,
			`item 3: rpc error: code = InvalidArgument desc = input: must be a duration, got "soon"`)
		require.Empty(t, outputs)
		require.Equal(t, 4, j.get().started, "items that ran")
		require.Equal(t, 100*time.Millisecond, time.Since(start), "nobody waited for the others")
		synctest.Wait()
		require.Zero(t, j.get().running, "the others are canceled")
		require.Equal(t, 100*time.Millisecond, time.Since(start))
	})
}

func TestNaive_RunsAllItemsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		client := dial(t, &NaiveServer{Run: j.run})

		other := make(chan error, 1)
		go func() {
			_, err := NaiveWork(t.Context(), client, []string{"1s"})
			other <- err
		}()
		outputs, err := NaiveWork(t.Context(), client, slices.Repeat([]string{"1s"}, 10_000))

		require.NoError(t, err)
		require.Len(t, outputs, 10_000)
		require.NoError(t, <-other)
		require.Equal(t, 10_000+1, j.get().most, "items at the same time")
	})
}
