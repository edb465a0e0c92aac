package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/security"
	"example.com/streams/07-production/security/testca"
	"example.com/streams/internal/serve"
)

const host = "localhost"

// A fixture is a server with a log on loopback, and what its clients need.
type fixture struct {
	ca       *testca.CA
	server   security.Certificate
	machine  security.Certificate // of the clients
	sessions security.Sessions
	locked   atomic.Bool // nobody may log in
	log      *logs.Log

	addr  string
	conns []*grpc.ClientConn
	stop  func() error
}

// start makes certificates and serves a log. A connection may be as old as
// age.
func start(ctx context.Context, age time.Duration, isNaive bool) (*fixture, error) {
	ca, err := testca.New()
	if err != nil {
		return nil, err
	}
	f := &fixture{ca: ca, log: logs.NewLog(100)}
	if err := errors.Join(f.renew(&f.server, host), f.renew(&f.machine, "dashboard")); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		return nil, err
	}
	conf := security.ServerTLS(&f.server, f.ca.Pool)
	auth := &security.Auth{Lookup: f.sessions.Lookup}
	quotas := &security.Quotas{Streams: 2, Interval: time.Millisecond, Burst: 100}
	opts := security.Options(conf, auth, quotas, age)
	if isNaive {
		opts = []grpc.ServerOption{
			grpc.Creds(credentials.NewTLS(conf)), grpc.ChainStreamInterceptor(auth.CheckAtOpen),
		}
	}
	s := serve.New(opts...)
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: f.log})
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.ServeUntil(ctx, listener) }()
	f.addr, f.stop = listener.Addr().String(), func() error { cancel(); return <-served }
	return f, nil
}

// close closes the connections and stops the server.
func (f *fixture) close() error {
	for _, conn := range f.conns {
		_ = conn.Close() // nobody else closes it
	}
	return f.stop()
}

// renew replaces a certificate by one with the next serial number.
func (f *fixture) renew(c *security.Certificate, name string) error {
	pair, err := f.ca.Issue(name, time.Hour)
	if err == nil {
		c.Set(pair)
	}
	return err
}

// dial returns a client on a connection of its own.
func (f *fixture) dial(conf *tls.Config, opts ...grpc.DialOption) (logsv1.LogServiceClient, error) {
	conn, err := grpc.NewClient(f.addr, append(opts, grpc.WithTransportCredentials(credentials.NewTLS(conf)))...)
	if err != nil {
		return nil, err
	}
	f.conns = append(f.conns, conn)
	return logsv1.NewLogServiceClient(conn), nil
}

func (f *fixture) clientTLS() *tls.Config {
	return security.ClientTLS(&f.machine, f.ca.Pool, host)
}

// as is the option to call as the user. The first token is valid for the
// time life, and the next ones for an hour.
func (f *fixture) as(user string, life time.Duration) grpc.DialOption {
	return grpc.WithPerRPCCredentials(security.Credentials{Token: func(context.Context) (string, error) {
		if f.locked.Load() {
			return "", status.Errorf(codes.PermissionDenied, "user: %s may not log in", user)
		}
		defer func() { life = time.Hour }()
		return f.sessions.Login(user, life), nil
	}})
}
