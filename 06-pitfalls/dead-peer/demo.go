package deadpeer

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver"
)

// Demo makes a connection half-open, and waits until the server notices.
var Demo = demo.Demo{Broken: variant(BrokenServerOptions), Fixed: variant(FixedServerOptions)}

func variant(options func(time.Duration) []grpc.ServerOption) demo.Variant {
	return demo.Variant{Run: func(ctx context.Context, _ pitfallsv1.PitfallServiceClient) (any, error) {
		s := new(service.Server)
		server := memserver.Serve(s.Register, options(time.Second)...)
		defer server.Close()
		network := faultnet.New(server.DialContext)
		conn, err := server.NewClient(grpc.WithContextDialer(network.DialContext))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		if _, err := openEcho(ctx, pitfallsv1.NewPitfallServiceClient(conn)); err != nil {
			return nil, err
		}
		network.Conn().HalfOpen()
		for s.OpenStreams() > 0 && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		return fmt.Sprintf("open streams of the server: %d", s.OpenStreams()), ctx.Err()
	}}
}
