package follow

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTally_IsCompleteWhenAllHaveReceived(t *testing.T) {
	tally := newTally(2)
	for round := uint64(1); round <= 3; round++ {
		if round > 1 {
			tally.expect(2)
		}
		require.NoError(t, tally.followers[0].seen(round))
		require.Empty(t, tally.complete, "one has not received entry %d", round)
		require.NoError(t, tally.followers[1].seen(round))
		require.NoError(t, tally.await(t.Context()))
	}
}

func TestFollower_RejectsGapsAndRepetitions(t *testing.T) {
	for _, tt := range []struct {
		gaps     bool
		sequence uint64
		want     string
	}{
		{false, 1, ""},
		{false, 2, "sequence: must be 1, got 2"},
		{false, 0, "sequence: must be 1, got 0"},
		{true, 7, ""},
		{true, 0, "sequence: must be 1, got 0"},
	} {
		f := newTally(5).followers[0]
		f.gaps = tt.gaps
		err := f.seen(tt.sequence)
		if tt.want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, tt.want)
		}
	}
}

func TestFollower_JSONAndEntryHaveTheSameTime(t *testing.T) {
	entry := next(nil, "a \"quoted\" line")
	for _, receive := range []func(*follower) error{
		func(f *follower) error { return f.seenEntry(entry.entry) },
		func(f *follower) error { return f.seenJSON(toJSON(entry)) },
	} {
		f := newTally(5).followers[0]
		require.NoError(t, receive(f), "without the time")
		require.EqualValues(t, 1, f.last)

		f.last = 0
		var got time.Time
		f.arrived = func(published time.Time) { got = published }
		require.NoError(t, receive(f))
		require.Equal(t, entry.entry.GetTimestamp().AsTime(), got.UTC())
	}
	f := newTally(5).followers[0]
	require.ErrorContains(t, f.seenJSON([]byte("hello")), "must begin with a sequence")
}

func TestAwait_SaysHowMuchIsMissing(t *testing.T) {
	tally := newTally(2)
	require.NoError(t, tally.followers[0].seen(1))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("late"))
	require.EqualError(t, tally.await(ctx), "received 1 of 2 entries: late")
}

func TestStartServer_KnowsOnlyItsOwn(t *testing.T) {
	for _, name := range []string{"log", "follow-gone", ""} {
		_, known, err := StartServer(name)
		require.NoError(t, err)
		require.False(t, known, name)
	}
}
