package sharedlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/shared-log/internal/fleet"
	"example.com/streams/internal/memserver"
)

// The engine keeps a clock for the whole process. It must begin outside of
// a bubble, or the bubble hangs.
func TestMain(m *testing.M) {
	ats.Register()
	os.Exit(m.Run())
}

// bubble runs a test in virtual time, with an engine of one node, whose
// files outlive its restarts.
func bubble(t *testing.T, conf Config, f func(*testing.T, *lab)) {
	dir := t.TempDir() // outside of the bubble, so that it outlives the node
	// nats.go keeps unused timers in a sync.Pool, and a timer of a bubble must
	// not come into another one. Two collections empty the pool.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, conf: conf, dir: dir, replicas: map[string]*testReplica{}}
		l.startNode()
		t.Cleanup(l.close)
		l.publisher, _ = l.log()
		require.NoError(t, l.publisher.Open(t.Context()))
		f(t, l)
	})
}

// A lab is an engine and replicas in a bubble.
type lab struct {
	t    *testing.T
	conf Config
	dir  string

	publisher *Log
	appended  int

	mu       sync.Mutex
	node     *Node // nil: it is down
	links    []*link
	replicas map[string]*testReplica
}

func (l *lab) startNode() {
	node, err := StartNode(NodeConfig{Dir: l.dir})
	require.NoError(l.t, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node = node
}

// stopNode cuts the connections first, and waits: a node that stops sleeps
// while it holds mutexes, and whoever waits for a mutex stops the clock of
// the bubble.
func (l *lab) stopNode() {
	l.mu.Lock()
	node, links := l.node, l.links
	l.node = nil
	l.mu.Unlock()
	for _, k := range links {
		k.cut()
	}
	synctest.Wait()
	node.Close()
}

func (l *lab) close() {
	for name := range l.replicas {
		l.kill(name)
	}
	l.stopNode()
}

// log returns the log over a link of its own.
func (l *lab) log() (*Log, *link) {
	k := &link{lab: l}
	l.mu.Lock()
	l.links = append(l.links, k)
	l.mu.Unlock()
	nc, err := connect("", nats.InProcessServer(k))
	require.NoError(l.t, err)
	l.t.Cleanup(nc.Close)
	log, err := NewLog(nc, l.conf)
	require.NoError(l.t, err)
	return log, k
}

// A testReplica is a server of the log.
type testReplica struct {
	*Replica
	link   *link
	server *memserver.Server
	stop   func() // Run
}

// start starts a replica, and waits until it serves.
func (l *lab) start(name string) *testReplica {
	log, k := l.log()
	h, ready := health.NewServer(), make(chan struct{}, 1000)
	r := &testReplica{link: k, Replica: &Replica{Log: log, OnServing: func(err error) {
		status := healthv1.HealthCheckResponse_NOT_SERVING
		if err == nil {
			status = healthv1.HealthCheckResponse_SERVING
			ready <- struct{}{}
		}
		h.SetServingStatus("", status)
	}}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	r.stop = func() { cancel(); <-ended }
	<-ready
	r.server = memserver.Serve(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, r)
		healthv1.RegisterHealthServer(s, h)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replicas[name] = r
	return r
}

// kill cancels all calls of a replica, and forgets it.
func (l *lab) kill(name string) {
	l.mu.Lock()
	r := l.replicas[name]
	delete(l.replicas, name)
	l.mu.Unlock()
	require.NoError(l.t, r.server.Close())
	r.stop()
	r.Log.js.Conn().Close()
}

// dial connects to the replicas with these names.
func (l *lab) dial(names ...string) logsv1.LogServiceClient {
	conn, err := fleet.Dial(names, grpc.WithContextDialer(func(ctx context.Context, name string) (net.Conn, error) {
		l.mu.Lock()
		r := l.replicas[name]
		l.mu.Unlock()
		if r == nil {
			return nil, fmt.Errorf("%s is down", name)
		}
		return r.server.DialContext(ctx, name)
	}))
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = conn.Close() })
	return logsv1.NewLogServiceClient(conn)
}

// append appends entries over a link of its own.
func (l *lab) append(messages ...string) {
	for _, message := range messages {
		l.appended++
		_, err := l.publisher.Append(l.t.Context(), fmt.Sprint("id ", l.appended), message, false)
		require.NoError(l.t, err)
	}
}

// A link is the connections of one client to the engine.
type link struct {
	lab    *lab
	mu     sync.Mutex
	silent bool
	deaf   bool
	conns  []net.Conn
}

// InProcessConn implements [nats.InProcessConnProvider]. While the link is
// silent, it refuses: nats.go holds a mutex while it waits for the first
// answer of a node, and whoever waits for a mutex stops the clock of the
// bubble.
func (k *link) InProcessConn() (net.Conn, error) {
	k.lab.mu.Lock()
	node := k.lab.node
	k.lab.mu.Unlock()
	if node == nil || k.dropsReplies() {
		return nil, errors.New("the node is down")
	}
	conn, err := node.server.InProcessConn()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns = append(k.conns, conn)
	return &linkConn{conn, k}, nil
}

// cut closes the connections.
func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, conn := range k.conns {
		_ = conn.Close() // fails if it was closed before
	}
	k.conns = nil
}

// setSilent makes the link drop what is sent, in both directions.
func (k *link) setSilent(silent bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.silent = silent
}

// dropReplies makes the link drop what the engine sends.
func (k *link) dropReplies(drop bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deaf = drop
}

func (k *link) dropsReplies() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.silent || k.deaf
}

func (k *link) isSilent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.silent
}

type linkConn struct {
	net.Conn
	link *link
}

func (c *linkConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.link.dropsReplies() {
			return n, err
		}
	}
}

func (c *linkConn) Write(b []byte) (int, error) {
	if c.link.isSilent() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}
