package fleet

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
)

// Dial returns a client that looks up the names of the servers, and has a
// service config. [Fleet.Close] closes it.
func (f *Fleet) Dial(config string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	return f.newClient("fleet:///logs", append(opts, grpc.WithDefaultServiceConfig(config))...)
}

// DialVirtual returns a client that has one address. A load balancer behind
// it gives each connection to the next server that is listed. [Fleet.Close]
// closes the client.
func (f *Fleet) DialVirtual() (*grpc.ClientConn, error) { return f.newClient("passthrough:///virtual") }

func (f *Fleet) newClient(target string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithResolvers(lookup{f}),
		grpc.WithContextDialer(f.DialContext),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, conn)
	return conn, nil
}

// DialContext connects to the server with a name, or, for "virtual", to the
// next one that is listed.
func (f *Fleet) DialContext(ctx context.Context, name string) (net.Conn, error) {
	// One client at a time: bufconn starts timers that are due at once, and
	// with -race, Go 1.26 crashes now and then if two goroutines of a bubble
	// do so at the same moment.
	select {
	case f.dialing <- struct{}{}:
		defer func() { <-f.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.Lock()
	if name == "virtual" {
		f.dials++
		name = f.listed[f.dials%len(f.listed)]
	}
	s := f.servers[name]
	f.mu.Unlock()
	return s.dial(ctx)
}

// Follow adds clients that follow the log, each with a number of streams.
func (f *Fleet) Follow(config string, clients, streams int) error {
	for range clients {
		conn, err := f.Dial(config)
		if err != nil {
			return err
		}
		f.FollowOn(conn, streams)
		// If too many clients connect at once, pick_first takes longer than
		// 250 ms, and tries the second address too.
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// FollowOn opens streams on a connection.
func (f *Fleet) FollowOn(conn *grpc.ClientConn, streams int) {
	for range streams {
		f.group.Go(func() { f.follow(logsv1.NewLogServiceClient(conn)) })
	}
}

// Received returns how many entries the followers have received together.
func (f *Fleet) Received() int64 { return f.received.Load() }

func (f *Fleet) follow(c logsv1.LogServiceClient) {
	var last uint64
	for e, err := range balancing.Follow(f.ctx, c, 0) {
		if err != nil {
			if f.ctx.Err() == nil {
				f.failed(err)
			}
			return
		}
		if e.GetSequence() != last+1 {
			f.failed(fmt.Errorf("a follower got entry %d after entry %d", e.GetSequence(), last))
		}
		last = e.GetSequence()
		f.received.Add(1)
	}
}

// A lookup behaves as the dns resolver of gRPC: it asks for the names when
// the client begins, and again when a connection has failed, ended, or stopped
// taking new streams. It does not wait, while dns waits by default until 30 s
// after its last answer.
type lookup struct{ f *Fleet }

func (l lookup) Scheme() string { return "fleet" }

func (l lookup) Build(
	_ resolver.Target, conn resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	a := answer{l.f, conn}
	l.f.mu.Lock()
	l.f.answers = append(l.f.answers, a)
	l.f.mu.Unlock()
	a.ResolveNow(resolver.ResolveNowOptions{})
	return a, nil
}

type answer struct {
	f    *Fleet
	conn resolver.ClientConn
}

func (a answer) ResolveNow(resolver.ResolveNowOptions) {
	var state resolver.State
	a.f.mu.Lock()
	for _, name := range a.f.listed {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: name}}})
	}
	a.f.mu.Unlock()
	_ = a.conn.UpdateState(state) // refused only if no name is listed
}

func (answer) Close() {}

// Tell tells the clients the listed names, as a control plane can. A lookup
// of DNS cannot.
func (f *Fleet) Tell() {
	f.mu.Lock()
	answers := f.answers
	f.mu.Unlock()
	for _, a := range answers {
		a.ResolveNow(resolver.ResolveNowOptions{})
	}
}
