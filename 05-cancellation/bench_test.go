package cancellation

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/bufnet"
)

// What does the goroutine cost that SendWithin starts for each message?
func BenchmarkATickThroughOneHop(b *testing.B) {
	for _, bb := range []struct {
		name string
		send func(grpc.ServerStreamingServer[tickerv1.Tick], *tickerv1.Tick) error
	}{
		{"Send", func(s grpc.ServerStreamingServer[tickerv1.Tick], tick *tickerv1.Tick) error {
			return s.Send(tick)
		}},
		{"SendWithin", func(s grpc.ServerStreamingServer[tickerv1.Tick], tick *tickerv1.Tick) error {
			return SendWithin(time.Minute, s, tick)
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			tick := NewExchange(1).Tick(1)
			conn := bufnet.Dial(b, func(s grpc.ServiceRegistrar) {
				tickerv1.RegisterTickerServiceServer(s, script{watch: func(s grpc.ServerStreamingServer[tickerv1.Tick]) error {
					for {
						if err := bb.send(s, tick); err != nil {
							return err
						}
					}
				}})
			})
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			stream, err := tickerv1.NewTickerServiceClient(conn).Watch(ctx, &tickerv1.WatchRequest{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stream.Recv(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
