package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/internal/memserver"
)

// A replica is a server in memory. Its copy of the log survives a kill, to
// keep the demo short; in cmd/kill, replicas are processes.
type replica struct {
	name    string
	log     *sharedlog.Replica
	health  *health.Server
	streams atomic.Int64

	mu     sync.Mutex
	server *memserver.Server // nil: killed
}

func newReplica(ctx context.Context, group *sync.WaitGroup, name string, log *sharedlog.Log) *replica {
	r := &replica{name: name, health: health.NewServer()}
	r.setServing(errors.New("the log is not read yet"))
	r.log = &sharedlog.Replica{Log: log, OnServing: r.setServing}
	group.Go(func() { r.log.Run(ctx) })
	r.serve()
	return r
}

func (r *replica) setServing(err error) {
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if err == nil {
		status = healthv1.HealthCheckResponse_SERVING
	}
	r.health.SetServingStatus("", status)
}

func (r *replica) serve() {
	s := memserver.Serve(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, r.log)
		healthv1.RegisterHealthServer(s, r.health)
	}, grpc.ChainStreamInterceptor(r.count))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server = s
}

// count counts the streams of the log, and not those of health.
func (r *replica) count(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if srv == r.log {
		r.streams.Add(1)
		defer r.streams.Add(-1)
	}
	return handler(srv, stream)
}

// kill closes all connections and forgets the server.
func (r *replica) kill() {
	r.mu.Lock()
	s := r.server
	r.server = nil
	r.mu.Unlock()
	if s != nil {
		_ = s.Close() // the listener in memory does not fail
	}
}

func (r *replica) dial(ctx context.Context) (net.Conn, error) {
	r.mu.Lock()
	s := r.server
	r.mu.Unlock()
	if s == nil {
		return nil, fmt.Errorf("%s is down", r.name)
	}
	return s.DialContext(ctx, r.name)
}
