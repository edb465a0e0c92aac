package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/07-production/shared-log/internal/fleet"
)

// An engine is one node in this process, processes, or somewhere else.
type engine struct {
	connect func() (*nats.Conn, error)
	close   func() error
}

func startEngine(ctx context.Context) (engine, error) {
	if *urls != "" {
		connect := func() (*nats.Conn, error) { return sharedlog.Connect(*urls) }
		return engine{connect, func() error { return nil }}, nil
	}
	dir, err := os.MkdirTemp("", "shared-log")
	if err != nil {
		return engine{}, err
	}
	if *nodes == 1 {
		node, err := sharedlog.StartNode(sharedlog.NodeConfig{Dir: dir})
		if err != nil {
			return engine{}, errors.Join(err, os.RemoveAll(dir))
		}
		return engine{node.Connect, func() error { node.Close(); return os.RemoveAll(dir) }}, nil
	}
	bin, err := fleet.Build(ctx)
	if err != nil {
		return engine{}, errors.Join(err, os.RemoveAll(dir))
	}
	f, err := fleet.Start(context.WithoutCancel(ctx), bin, dir, *nodes, 0)
	if err != nil {
		return engine{}, errors.Join(err, os.RemoveAll(bin), os.RemoveAll(dir))
	}
	connect := func() (*nats.Conn, error) { return sharedlog.Connect(f.URLs) }
	return engine{connect, func() error { return errors.Join(f.Close(), os.RemoveAll(bin), os.RemoveAll(dir)) }}, nil
}

// A demo is replicas, a publisher and followers in this process.
type demo struct {
	log       *sharedlog.Log // of the publisher
	conns     []*nats.Conn
	replicas  []*replica
	clients   []*grpc.ClientConn
	followers []*fleet.Follower

	cancel    context.CancelFunc // all of them
	stop      context.CancelFunc // the publisher
	group     sync.WaitGroup
	published chan int
	mu        sync.Mutex
	err       error // of the publisher or a follower
}

// newDemo starts what can start without waiting. All of it uses a log of its
// own, which close deletes.
func newDemo(ctx context.Context, e engine) (*demo, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	publishing, stop := context.WithCancel(ctx)
	d := &demo{cancel: cancel, stop: stop, published: make(chan int, 1)}
	conf := sharedlog.Config{Name: fmt.Sprintf("demo-%08x", rand.Uint32()), Nodes: *nodes}
	var logs [4]*sharedlog.Log
	for i := range logs {
		nc, err := e.connect()
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		d.conns = append(d.conns, nc)
		if logs[i], err = sharedlog.NewLog(nc, conf); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	d.log = logs[3]
	for i, name := range []string{"a", "b", "c"} {
		d.replicas = append(d.replicas, newReplica(ctx, &d.group, name, logs[i]))
	}
	d.group.Go(func() { d.publish(publishing) })
	for range 3 {
		conn, err := fleet.Dial([]string{"a", "b", "c"}, grpc.WithContextDialer(d.dial))
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		d.clients = append(d.clients, conn)
		f := &fleet.Follower{}
		d.followers = append(d.followers, f)
		d.group.Go(func() { d.failed(f.Run(ctx, logsv1.NewLogServiceClient(conn))) })
	}
	return d, nil
}

func (d *demo) publish(ctx context.Context) {
	err := d.log.Open(ctx)
	n := 0
	if err == nil {
		n, err = sharedlog.Generate(ctx, d.log, 0, 100*time.Millisecond)
	}
	d.failed(err)
	d.published <- n
}

// endPublisher returns how many lines the log has.
func (d *demo) endPublisher() (int, error) {
	d.stop()
	n := <-d.published
	return n, d.failure()
}

func (d *demo) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = errors.Join(d.err, err)
}

func (d *demo) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// await waits until each follower has received n entries.
func (d *demo) await(ctx context.Context, n int) error {
	for _, f := range d.followers {
		for f.Counts().Received < n {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := d.failure(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demo) check(lines int) error {
	for _, f := range d.followers {
		if c := f.Counts(); c != (fleet.Counts{Received: lines}) {
			return fmt.Errorf("of %d lines, a follower has %+v", lines, c)
		}
	}
	fmt.Println("each follower received every line once, and in order")
	return nil
}

func (d *demo) close() error {
	var err error
	if d.log != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		d.stop()
		err = d.log.Delete(ctx)
	}
	d.cancel()
	d.group.Wait()
	for _, conn := range d.clients {
		_ = conn.Close() // fails only if it was closed before
	}
	for _, r := range d.replicas {
		r.kill()
	}
	for _, nc := range d.conns {
		nc.Close()
	}
	return err
}

func (d *demo) dial(ctx context.Context, name string) (net.Conn, error) {
	for _, r := range d.replicas {
		if r.name == name {
			return r.dial(ctx)
		}
	}
	return nil, fmt.Errorf("no replica %s", name)
}
