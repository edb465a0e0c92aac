// Command gateway serves a web page that shows a log live. Without -upstream
// the log is made up, and the same port offers it by gRPC.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/browser"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver"
)

var (
	addr     = flag.String("addr", "localhost:8080", "serve the page on `host:port`")
	upstream = flag.String("upstream", "", "follow the log of the server at `host:port` (default: a log in this process)")
	host     = flag.String("host", "", "the `name` of this gateway in URLs (default: names of loopback)")
	drain    = flag.Duration("drain", 5*time.Second, "how long open requests may take to finish when the gateway stops")
)

func main() { os.Exit(cli.Main("gateway [flags]", run)) }

func run(ctx context.Context) error {
	if err := checkFlags(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "gateway: listening on %s\n", listener.Addr())
	if a, ok := listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		fmt.Fprintf(os.Stderr, "gateway: warning: %s is not loopback: the traffic is plaintext, and anybody who reaches the port may read\n", a)
	}
	if *upstream == "" {
		return serveLog(ctx, listener)
	}
	return serveUpstream(ctx, listener)
}

func checkFlags() error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	if *drain < 0 {
		return cli.Usagef("-drain: must be at least 0, got %v", *drain)
	}
	for name, value := range map[string]string{"-addr": *addr, "-upstream": *upstream} {
		if _, _, err := net.SplitHostPort(value); err != nil && value != "" {
			return cli.Usagef("%s: must be host:port, got %q", name, value)
		}
	}
	return nil
}

// serveUpstream serves the log of another server.
func serveUpstream(ctx context.Context, listener net.Listener) error {
	conn, err := grpc.NewClient(*upstream,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// Otherwise a server that has lost its power may be noticed after hours.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer conn.Close()
	gateway := newGateway(conn)
	return serve(ctx, listener, gateway, gateway.Drain)
}

// serveLog serves a log of its own, to browsers and by gRPC.
func serveLog(ctx context.Context, listener net.Listener) error {
	log := logs.NewLog(1000)
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	go logs.Generate(feeding, log, 250*time.Millisecond)
	s := memserver.Serve(func(r grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(r, &logs.LogServer{Log: log})
	})
	defer func() { _ = s.Close() }() // the listener in memory does not fail
	conn, err := s.NewClient()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer conn.Close()
	gateway := newGateway(conn)
	return serve(ctx, listener, browser.OnePort(s, gateway), func() { gateway.Drain(); log.Drain() })
}

func newGateway(conn *grpc.ClientConn) *browser.Gateway {
	gateway := browser.NewGateway(logsv1.NewLogServiceClient(conn))
	if *host != "" {
		gateway.Hosts = []string{*host}
	}
	return gateway
}

// serve serves until ctx is done. Then it calls onDrain, which must end the
// streams, and waits for them, but not longer than -drain.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, onDrain func()) error {
	s := browser.NewServer(handler)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	select {
	case err := <-served:
		onDrain()
		return errors.Join(err, s.Close())
	case <-ctx.Done():
	}
	onDrain()
	ctx, cancel := context.WithTimeout(context.Background(), *drain)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return s.Close() // also a connection that a browser has opened, but not used
}
