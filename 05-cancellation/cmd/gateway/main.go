// Command gateway relays the ticks of an exchange, or of another gateway,
// over TCP.
package main

import (
	"context"
	"flag"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener = cli.ServerFlags()
	upstream = flag.String("upstream", "", "relay the ticks of the server at `host:port` (required)")
)

func main() { os.Exit(cli.Main("gateway", run)) }

func run(ctx context.Context) error {
	if _, _, err := net.SplitHostPort(*upstream); err != nil {
		return cli.Usagef("-upstream: must be host:port, got %q", *upstream)
	}
	if *upstream == listener.Addr {
		return cli.Usagef("-upstream: must not be the gateway's own -addr, got %s", *upstream)
	}
	opts := append(cancellation.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(*upstream, opts...)
	if err != nil {
		return err
	}
	defer conn.Close()

	// Another gateway has one connection, which carries the calls of all its
	// watchers.
	s := serve.New(append(cancellation.ServerOptions(), grpc.MaxConcurrentStreams(1000))...)
	g := cancellation.NewGateway(tickerv1.NewTickerServiceClient(conn))
	tickerv1.RegisterTickerServiceServer(s, g)
	s.OnDrain = g.Drain
	listener.Name = "gateway"
	return listener.Serve(ctx, s)
}
