package gracefulstop

import (
	"context"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver"
)

// Demo stops a server that has an open stream. The server is its own, so
// that it stops no other.
var Demo = demo.Demo{Broken: variant(BrokenTicker()), Fixed: variant(FixedTicker())}

func variant(t ticker) demo.Variant {
	return demo.Variant{Run: func(ctx context.Context, _ pitfallsv1.PitfallServiceClient) (any, error) {
		server := memserver.Serve((&service.Server{OnCount: t.Count}).Register)
		defer server.Stop()
		conn, err := server.NewClient()
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Count(ctx, &pitfallsv1.CountRequest{})
		if err != nil {
			return nil, err
		}
		if _, err := stream.Recv(); err != nil {
			return nil, err
		}
		if err := t.Shutdown(server.Server); err != nil {
			return nil, err
		}
		_, err = service.Values(stream)
		return "the server has stopped", err
	}}
}
