package sharedlog

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStartNode_SyncsEveryTwoMinutesByDefault(t *testing.T) {
	for _, always := range []bool{false, true} {
		node, err := StartNode(NodeConfig{Dir: t.TempDir(), SyncAlways: always})
		require.NoError(t, err)
		t.Cleanup(node.Close)
		conf := node.server.JetStreamConfig()
		require.Equal(t, 2*time.Minute, conf.SyncInterval)
		require.Equal(t, always, conf.SyncAlways)
	}
}

// The race detector finds what is not safe.
func TestNode_MayBeUsedConcurrently(t *testing.T) {
	node, err := StartNode(NodeConfig{Dir: t.TempDir(), Addr: "localhost:0"})
	require.NoError(t, err)
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			_ = node.URL()
			if nc, err := node.Connect(); err == nil {
				nc.Close()
			}
			node.Close()
		})
	}
	users.Wait()
}

func TestStartNode_NamesTheWrongField(t *testing.T) {
	_, err := StartNode(NodeConfig{})
	require.EqualError(t, err, "dir: must not be empty")
	_, err = StartNode(NodeConfig{Dir: t.TempDir(), Addr: "localhost"})
	require.ErrorContains(t, err, "address localhost: missing port in address")
	_, err = StartNode(NodeConfig{Dir: t.TempDir(), Addr: "localhost:http"})
	require.ErrorContains(t, err, "address localhost:http")
	_, err = Connect(" ")
	require.EqualError(t, err, "urls: must not be empty")
}

func TestConnect_DoesNotWaitForTheEngine(t *testing.T) {
	nc, err := Connect("nats://127.0.0.1:9") // nobody listens there
	require.NoError(t, err)
	defer nc.Close()
	require.False(t, nc.IsConnected())
	log, err := NewLog(nc, Config{})
	require.NoError(t, err)
	require.Equal(t, Config{Name: "log", Nodes: 1, Retention: 10_000}, log.conf, "the defaults")
}
