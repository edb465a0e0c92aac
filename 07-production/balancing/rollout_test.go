package balancing_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
)

// rollOut replaces a, b and c by d, e and f, one after another, while a new
// client comes each second and an entry is appended each 5 s. It returns the
// errors of the new clients.
func rollOut(t *testing.T, f *fleet.Fleet) (refused []error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, pair := range []struct{ old, next string }{{"a", "d"}, {"b", "e"}, {"c", "f"}} {
			f.Start(pair.next)
			f.Signal(pair.old)
			f.Wait(pair.old)
			time.Sleep(20 * time.Second)
		}
	}()
	for second := 1; ; second++ {
		select {
		case <-done:
			return refused
		case <-time.After(time.Second):
			if second%5 == 0 {
				f.Log.Append("tick", false)
			}
			if err := newClient(t, f); err != nil {
				refused = append(refused, err)
			}
		}
	}
}

// newClient connects and receives one entry.
func newClient(t *testing.T, f *fleet.Fleet) error {
	conn, err := f.DialVirtual()
	require.NoError(t, err)
	defer conn.Close()
	for _, err := range logs.Tail(t.Context(), logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{Follow: true}) {
		return err
	}
	return nil
}

// The load balancer learns only after 5 s that a server has left.
func TestRollout_WithoutLameDuckRefusesNewClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{Unlist: 5 * time.Second}, "a", "b", "c")
		f.Log.Append("first", false)
		follow(t, f, balancing.Shuffled, 120, 1)
		refused := rollOut(t, f)
		require.NotEmpty(t, refused)
		for _, err := range refused {
			require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "%v", err)
		}
	})
}

func TestRollout_LosesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{Unlist: 5 * time.Second, LameDuck: 10 * time.Second}, "a", "b", "c")
		f.Log.Append("first", false)
		follow(t, f, balancing.Shuffled, 120, 1)
		require.Empty(t, rollOut(t, f))
		synctest.Wait()
		require.Equal(t, []int64{0, 0, 0}, f.Streams("a", "b", "c"))
		left := f.Streams("d", "e", "f")
		require.Equal(t, int64(120), left[0]+left[1]+left[2])
		require.Equal(t, 120*newest(t, f), f.Received(), "each follower, each entry")
		require.Less(t, left[2], int64(40), "the last server has the fewest streams")
	})
}

// newest returns the sequence of the newest entry of the log.
func newest(t *testing.T, f *fleet.Fleet) (n int64) {
	conn, err := f.DialVirtual()
	require.NoError(t, err)
	for e, err := range logs.Tail(t.Context(), logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{}) {
		require.NoError(t, err)
		n = int64(e.GetSequence())
	}
	return n
}
