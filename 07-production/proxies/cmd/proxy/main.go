// Command proxy stands between a client and a server, and cuts what its
// clocks tell it to.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"example.com/streams/07-production/proxies"
	"example.com/streams/internal/cli"
)

var (
	addr     = flag.String("addr", "localhost:8080", "listen on `host:port`")
	upstream = flag.String("upstream", "localhost:50051", "forward to the server at `host:port`")
	stream   = flag.Duration("stream", 0, "how long a stream may last (default: forever)")
	idle     = flag.Duration("idle", time.Minute, "how long the server may send nothing on a stream; 0: forever")
	age      = flag.Duration("age", 0, "how long a client's connection may last (default: forever)")
)

func main() { os.Exit(cli.Main("proxy [flags]", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	for name, d := range map[string]time.Duration{"-stream": *stream, "-idle": *idle, "-age": *age} {
		if d < 0 {
			return cli.Usagef("%s: must be at least 0, got %v", name, d)
		}
	}
	for name, address := range map[string]string{"-addr": *addr, "-upstream": *upstream} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return cli.Usagef("%s: must be host:port, got %q", name, address)
		}
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err // "listen tcp …: bind: address already in use"
	}
	fmt.Fprintf(os.Stderr, "proxy: listening on %s\n", listener.Addr())
	p := &proxies.Proxy{Upstream: *upstream, Stream: *stream, Idle: *idle, Age: *age}
	return p.Serve(ctx, listener)
}
