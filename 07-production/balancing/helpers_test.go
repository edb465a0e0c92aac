package balancing_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
)

// age is the maximum age of a stream or a connection.
const age = 2 * time.Minute

// start starts servers. When the test ends, start requires that no follower
// has missed an entry.
func start(t *testing.T, f *fleet.Fleet, names ...string) *fleet.Fleet {
	f.Start(names...)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// follow adds clients with a number of streams each.
func follow(t *testing.T, f *fleet.Fleet, config string, clients, streams int) {
	require.NoError(t, f.Follow(config, clients, streams))
	synctest.Wait()
}

// client returns a client that has opened a number of streams one by one.
func client(t *testing.T, f *fleet.Fleet, config string, streams int) *grpc.ClientConn {
	conn, err := f.Dial(config)
	require.NoError(t, err)
	conn.Connect()
	synctest.Wait() // the client is connected to each server that it will use
	more(f, conn, streams)
	return conn
}

// more opens streams one by one.
func more(f *fleet.Fleet, conn *grpc.ClientConn, streams int) {
	for range streams {
		f.FollowOn(conn, 1)
		synctest.Wait()
	}
}

// requireSpread requires that no server has all streams, or nearly none. 120
// streams that choose among three servers at random fail this in less than one
// of a million runs.
func requireSpread(t *testing.T, streams []int64) {
	t.Helper()
	require.GreaterOrEqual(t, slices.Min(streams), int64(15), "%v", streams)
	require.LessOrEqual(t, slices.Max(streams), int64(90), "%v", streams)
}

var policies = map[string]string{
	"pick_first":    balancing.PickFirst,
	"shuffled":      balancing.Shuffled,
	"round_robin":   balancing.RoundRobin,
	"least_request": balancing.LeastRequest,
}
