package mains

import (
	"context"
	"flag"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/command"
	"example.com/streams/internal/serve"
)

// Gateway is the main function of cmd/gateway. It returns the exit status.
func Gateway() int {
	upstream := flag.String("upstream", "", "relay what `host:port` publishes (required)")
	return serve.Main(func(ctx context.Context, s *serve.Server) error {
		if err := checkUpstream(*upstream, s.Addr); err != nil {
			return err
		}
		conn, err := grpc.NewClient(*upstream, append(cancellation.DialOptions(),
			grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			return err
		}
		defer conn.Close()
		g := cancellation.NewGateway(tickerv1.NewTickerServiceClient(conn))
		tickerv1.RegisterTickerServiceServer(s, g)
		s.OnDrain = g.Drain
		return s.Run(ctx)
	}, cancellation.ServerOptions()...)
}

func checkUpstream(upstream, own string) error {
	if upstream == "" {
		return command.Usagef("-upstream is missing")
	}
	if _, _, err := net.SplitHostPort(upstream); err != nil {
		return command.Usagef("-upstream: %v", err)
	}
	if upstream == own {
		return command.Usagef("-upstream %s is the gateway itself; give it another -addr", upstream)
	}
	return nil
}
