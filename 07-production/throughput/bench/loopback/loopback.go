// Package loopback starts the servers and the clients of a sample, connected
// through TCP on this machine. All of them end with the sample.
package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/07-production/throughput/bench/harness"
)

// Options change a gRPC server and its client. The zero value adds no
// option and no TLS.
type Options struct {
	TLS    bool
	Server []grpc.ServerOption
	Client []grpc.DialOption
}

// GRPC starts a gRPC server, and returns a connection to it.
func GRPC(r *harness.Run, register func(grpc.ServiceRegistrar), o Options) (*grpc.ClientConn, error) {
	clientCreds := insecure.NewCredentials()
	if o.TLS {
		server, client, err := Certificates()
		if err != nil {
			return nil, err
		}
		o.Server = append(o.Server, grpc.Creds(credentials.NewTLS(server)))
		clientCreds = credentials.NewTLS(client)
	}
	addr, err := ServeGRPC(r, register, o.Server...)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(addr, append(o.Client, grpc.WithTransportCredentials(clientCreds))...)
	if err != nil {
		return nil, err
	}
	r.Defer(conn.Close)
	return conn, nil
}

// ServeGRPC starts a gRPC server, and returns its address.
func ServeGRPC(r *harness.Run, register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption) (addr string, err error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	server := grpc.NewServer(opts...)
	register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	r.Defer(func() error {
		server.Stop()
		return <-served
	})
	return listener.Addr().String(), nil
}

// HTTPOptions change an HTTP server and its client. The zero value is
// HTTP/1.1 without TLS.
type HTTPOptions struct {
	HTTP2 bool // without TLS; it is called h2c
	TLS   bool
}

// HTTP starts an HTTP server, and returns its URL and a client for it.
func HTTP(r *harness.Run, handler http.Handler, o HTTPOptions) (url string, client *http.Client, err error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!o.HTTP2)
	protocols.SetUnencryptedHTTP2(o.HTTP2)
	transport := &http.Transport{Protocols: protocols}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", nil, err
	}
	url = "http://" + listener.Addr().String()
	if o.TLS {
		server, client, err := Certificates()
		if err != nil {
			return "", nil, errors.Join(err, listener.Close())
		}
		listener = tls.NewListener(listener, server)
		transport.TLSClientConfig = client
		url = "https://" + listener.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background()) // of all requests
	server := &http.Server{Handler: handler, Protocols: protocols, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	r.Defer(func() error {
		cancel()
		transport.CloseIdleConnections()
		err := server.Close()
		if s := <-served; !errors.Is(s, http.ErrServerClosed) {
			err = errors.Join(err, s)
		}
		return err
	})
	return url, &http.Client{Transport: transport}, nil
}

// TCP listens, and calls serve with each connection, in a goroutine of its
// own. serve returns when the client closes the connection.
func TCP(r *harness.Run, serve func(net.Conn) error) (addr string, err error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	done := make(chan error, 1)
	go func() { done <- accept(listener, serve) }()
	r.Defer(func() error {
		return errors.Join(listener.Close(), <-done)
	})
	return listener.Addr().String(), nil
}

// accept returns when the listener is closed, and the last connection has
// been served.
func accept(listener net.Listener, serve func(net.Conn) error) error {
	var group errgroup.Group
	for {
		conn, err := listener.Accept()
		if err != nil {
			return group.Wait() // the listener is closed
		}
		group.Go(func() error {
			defer conn.Close()
			return serve(conn)
		})
	}
}
