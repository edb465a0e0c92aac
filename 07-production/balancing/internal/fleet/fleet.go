// Package fleet runs several servers of one log in memory, and clients that
// follow it, to count the streams of each server.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/internal/serve"
)

// A Fleet is servers that have names and share one log, and the clients of
// these servers. Set the fields before the first call of [Fleet.Start], and
// call [Fleet.Close] once, at the end. Methods may be called concurrently.
type Fleet struct {
	Log *logs.Log // set by the first Start

	// Options returns the options of a server. By default, they are those
	// of its Lifetime.
	Options func(*balancing.Lifetime) []grpc.ServerOption

	MaxAge   time.Duration // of streams and connections; 0: no maximum
	LameDuck time.Duration // see [serve.Server]

	// Unlist is how long a name is still listed after [Fleet.Signal].
	Unlist time.Duration

	ctx      context.Context // of the followers
	cancel   context.CancelFunc
	dialing  chan struct{}  // holds a value while a client connects
	group    sync.WaitGroup // of the followers
	received atomic.Int64   // by the followers

	mu      sync.Mutex
	servers map[string]*server
	listed  []string // the names that a lookup returns
	dials   int      // of the virtual address
	conns   []*grpc.ClientConn
	answers []answer // for Tell
	errs    []error
}

type server struct {
	streams, connections atomic.Int64

	listener *bufconn.Listener
	signal   context.CancelFunc
	ended    chan struct{}
}

// Start starts servers and lists their names.
func (f *Fleet) Start(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.servers == nil {
		f.servers = map[string]*server{}
		f.Log = logs.NewLog(10_000)
		f.ctx, f.cancel = context.WithCancel(context.Background())
		f.dialing = make(chan struct{}, 1)
	}
	for _, name := range names {
		f.servers[name] = f.start(name)
		f.listed = append(f.listed, name)
	}
}

func (f *Fleet) start(name string) *server {
	s := &server{listener: bufconn.Listen(64 << 10), ended: make(chan struct{})}
	ctx, signal := context.WithCancel(context.Background())
	s.signal = signal
	lifetime := balancing.NewLifetime(f.MaxAge)
	options := lifetime.ServerOptions
	if f.Options != nil {
		options = func() []grpc.ServerOption { return f.Options(lifetime) }
	}
	g := serve.New(append(options(), grpc.ChainStreamInterceptor(s.count))...)
	g.LameDuck, g.Drain, g.OnDrain = f.LameDuck, 5*time.Second, lifetime.Drain
	logsv1.RegisterLogServiceServer(g, &logs.LogServer{Log: f.Log})
	go func() {
		defer close(s.ended)
		if err := g.ServeUntil(ctx, s.listener); err != nil {
			f.failed(fmt.Errorf("server %s: %w", name, err))
		}
	}()
	return s
}

// count counts the streams of the log, and not those of health.
func (s *server) count(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if _, ok := srv.(*logs.LogServer); ok {
		s.streams.Add(1)
		defer s.streams.Add(-1)
	}
	return handler(srv, stream)
}

// Signal tells a server to stop, and removes its name from the list after
// Unlist. It does not wait.
func (f *Fleet) Signal(name string) {
	f.get(name).signal()
	time.AfterFunc(f.Unlist, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.listed = slices.DeleteFunc(slices.Clone(f.listed), func(n string) bool { return n == name })
	})
}

// Wait waits until a server that was signaled has ended.
func (f *Fleet) Wait(name string) { <-f.get(name).ended }

// Names returns the names of all servers that were started.
func (f *Fleet) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.servers))
}

// Streams returns how many streams of the log each server has.
func (f *Fleet) Streams(names ...string) (n []int64) {
	for _, name := range names {
		n = append(n, f.get(name).streams.Load())
	}
	return n
}

// Connections returns how many connections each server has.
func (f *Fleet) Connections(names ...string) (n []int64) {
	for _, name := range names {
		n = append(n, f.get(name).connections.Load())
	}
	return n
}

func (f *Fleet) get(name string) *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.servers[name]
}

func (f *Fleet) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// Close ends the clients, and then the servers. It returns what has failed: a
// server, or a follower whose stream ended for good, that got an entry twice, or
// that missed one and then got a later one.
func (f *Fleet) Close() error {
	f.cancel()
	f.group.Wait()
	for _, conn := range f.conns {
		_ = conn.Close() // fails only if it was closed before
	}
	for _, s := range f.servers {
		s.signal()
	}
	for _, s := range f.servers {
		<-s.ended
	}
	return errors.Join(f.errs...)
}

func (s *server) dial(ctx context.Context) (net.Conn, error) {
	conn, err := s.listener.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	s.connections.Add(1)
	return &countedConn{Conn: conn, n: &s.connections}, nil
}

// A countedConn is a connection that n counts until it is closed.
type countedConn struct {
	net.Conn
	once sync.Once
	n    *atomic.Int64
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.n.Add(-1) })
	return c.Conn.Close()
}
