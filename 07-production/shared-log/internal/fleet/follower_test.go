package fleet

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// The tests of processes count on a follower that sees what is wrong.
func TestFollower_CountsWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		entries []*logsv1.LogEntry
		want    Counts
	}{
		"nothing": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 1"}, {Sequence: 2, Message: "line 2"},
		}, Counts{Received: 2}},
		"two lost": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 1"}, {Sequence: 2, Message: "line 4"}, {Sequence: 3, Message: "line 5"},
		}, Counts{Received: 3, Lost: 2}},
		"the first lost": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 2"},
		}, Counts{Received: 1, Lost: 1}},
		"one doubled": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 1"}, {Sequence: 2, Message: "line 1"}, {Sequence: 3, Message: "line 2"},
		}, Counts{Received: 3, Doubled: 1}},
		"the same entry again": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 1"}, {Sequence: 1, Message: "line 1"},
		}, Counts{Received: 2, Doubled: 1, Misplaced: 1}},
		"exchanged": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 2"}, {Sequence: 2, Message: "line 1"},
		}, Counts{Received: 2, Lost: 1, Doubled: 1}},
		"of another log": {[]*logsv1.LogEntry{
			{Sequence: 1, Message: "line 1"}, {Sequence: 2, Message: "line 2", LogId: "another"},
		}, Counts{Received: 2, Misplaced: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Follower{}
			for _, e := range tt.entries {
				require.NoError(t, f.add(e))
			}
			require.Equal(t, tt.want, f.Counts())
		})
	}
}

func TestFollower_Silence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &Follower{}
		require.NoError(t, f.add(&logsv1.LogEntry{Sequence: 1, Message: "line 1"}))
		time.Sleep(3 * time.Second)
		require.NoError(t, f.add(&logsv1.LogEntry{Sequence: 2, Message: "line 2"}))
		time.Sleep(time.Second)
		require.Equal(t, 3*time.Second, f.Silence())
		time.Sleep(2 * time.Second)
		require.Equal(t, 2*time.Second, f.Silence(), "since the last call")
	})
}

// The executable of this test refuses the flag.
func TestProcess_KillSaysWhyItEndedByItself(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	p := &Process{Name: "n1", executable: executable, args: []string{"-no-such-flag"}}
	require.NoError(t, p.Start(t.Context()))
	_ = p.running.Wait()
	err = p.Kill()
	require.ErrorContains(t, err, "n1 ended by itself")
	require.ErrorContains(t, err, "flag provided but not defined")
}

func TestProcess_EndsWithItsContext(t *testing.T) {
	if os.Getenv("FLEET_BLOCK") != "" {
		time.Sleep(time.Hour) // the process that the test kills
	}
	t.Setenv("FLEET_BLOCK", "1")
	executable, err := os.Executable()
	require.NoError(t, err)
	p := &Process{Name: "n1", executable: executable, args: []string{"-test.run=^TestProcess_EndsWithItsContext$"}}
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, p.Start(ctx))
	cancel()
	require.Error(t, p.running.Wait(), "it is killed")

	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Kill())
	require.NoError(t, p.Kill(), "it does not run")
}
