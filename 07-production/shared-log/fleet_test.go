package sharedlog_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/07-production/shared-log/internal/fleet"
	"example.com/streams/internal/testproc"
)

// A cluster is a fleet of processes with a publisher and three followers.
type cluster struct {
	*fleet.Fleet
	t         *testing.T
	ctx       context.Context
	log       *sharedlog.Log
	followers [3]*fleet.Follower
}

func startCluster(t *testing.T) *cluster {
	bin := testproc.Build(t, "./cmd/node", "./cmd/server")
	f, err := fleet.Start(t.Context(), bin, t.TempDir(), 3, 3)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	log, err := sharedlog.NewLog(connection(t, f.URLs), sharedlog.Config{Nodes: 3})
	require.NoError(t, err)
	require.NoError(t, f.AwaitServers(t.Context(), true))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // or the test would hang
	t.Cleanup(cancel)
	return &cluster{Fleet: f, t: t, ctx: ctx, log: log}
}

func connection(t *testing.T, urls string) *nats.Conn {
	nc, err := sharedlog.Connect(urls)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

// awaitProgress waits until each follower has received n more entries.
func (c *cluster) awaitProgress(n int) {
	for _, f := range c.followers {
		for goal := f.Counts().Received + n; f.Counts().Received < goal; {
			require.NoError(c.t, c.ctx.Err(), "a follower has received %+v", f.Counts())
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// leader waits until all nodes are up to date, and returns the one that
// leads the log.
func (c *cluster) leader() *fleet.Process {
	for {
		name, err := c.log.Leader(c.ctx)
		require.NoError(c.t, c.ctx.Err(), "Leader: %v", err)
		for _, node := range c.Nodes {
			if err == nil && node.Name == name {
				return node
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *cluster) killFor(p *fleet.Process, progress int) {
	require.NoError(c.t, p.Kill())
	c.awaitProgress(progress)
	require.NoError(c.t, p.Start(c.ctx))
}

// Real processes and sockets. The test waits for progress, and a lost entry
// or a fleet that does not recover in five minutes fails it.
func TestFleet_EachEntryOnceThroughKills(t *testing.T) {
	t.Parallel() // with the other test of processes
	c := startCluster(t)
	following, leave := context.WithCancel(t.Context())
	publishing, stop := context.WithCancel(t.Context())
	var followers, publisher sync.WaitGroup
	defer func() { leave(); followers.Wait() }()
	for i := range c.followers {
		f := &fleet.Follower{}
		c.followers[i] = f
		conn, err := fleet.Dial(c.Addrs)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		followers.Go(func() {
			if err := f.Run(following, logsv1.NewLogServiceClient(conn)); err != nil {
				t.Errorf("a follower ended: %v", err)
			}
		})
	}
	lines := 0
	publisher.Go(func() {
		var err error
		if lines, err = sharedlog.Generate(publishing, c.log, 0, 10*time.Millisecond); err != nil {
			t.Errorf("the publisher ended: %v", err)
		}
	})
	defer func() { stop(); publisher.Wait() }()

	other, err := sharedlog.NewLog(connection(t, c.URLs), sharedlog.Config{Name: "other", Nodes: 3})
	require.NoError(t, err)
	require.NoError(t, other.Open(c.ctx))

	c.awaitProgress(10)
	c.killFor(c.Servers[0], 100)
	require.NoError(t, c.AwaitServers(c.ctx, true))
	c.killFor(c.leader(), 100)
	c.leader() // waits until the killed node is up to date

	// One node of three cannot confirm an entry, and nothing is lost.
	require.NoError(t, c.Nodes[0].Kill())
	for err == nil { // a node is not up to date
		_, err = c.log.Leader(c.ctx)
	}
	require.NoError(t, c.ctx.Err(), "Leader has noticed nothing")
	require.NoError(t, c.Nodes[1].Kill())
	require.NoError(t, c.AwaitServers(c.ctx, false))
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
	defer cancel()
	_, err = other.Append(ctx, "id", "line", false)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, c.Nodes[0].Start(c.ctx))
	require.NoError(t, c.Nodes[1].Start(c.ctx))
	c.awaitProgress(100)

	stop()
	publisher.Wait()
	for _, f := range c.followers {
		for f.Counts().Received < lines {
			require.NoError(t, c.ctx.Err(), "of %d lines, a follower has received %+v", lines, f.Counts())
			time.Sleep(10 * time.Millisecond)
		}
		require.Equal(t, fleet.Counts{Received: lines}, f.Counts())
	}
}
