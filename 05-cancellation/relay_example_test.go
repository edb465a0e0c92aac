package cancellation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// A relay is the smallest gateway.
type relay struct {
	tickerv1.UnimplementedTickerServiceServer
	upstream tickerv1.TickerServiceClient
}

func (r relay) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	up, err := r.upstream.Watch(down.Context(), req) // the watcher's context
	if err != nil {
		return err
	}
	for {
		tick, err := up.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := down.Send(tick); err != nil {
			return err
		}
	}
}

// printTicks prints n ticks, and leaves.
func printTicks(c tickerv1.TickerServiceClient, n int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // ends the stream, and the one behind the gateway
	stream, err := c.Watch(ctx, &tickerv1.WatchRequest{After: new(uint64(0))})
	if err != nil {
		return err
	}
	for range n {
		tick, err := stream.Recv()
		if err != nil {
			return err
		}
		fmt.Println(tick.GetSequence(), tick.GetSymbol())
	}
	return nil
}

func Example_relay() {
	exchange := make(ends, 1)
	c, stopExchange := serveExample(newlyBegun(), exchange.handler)
	defer stopExchange()
	gateway := make(ends, 1)
	c, stopGateway := serveExample(relay{upstream: c}, gateway.handler)
	defer stopGateway()

	if err := printTicks(c, 3); err != nil {
		fmt.Println(err)
	}
	fmt.Println("the gateway's handler:", (<-gateway).ctx)
	fmt.Println("the exchange's handler:", (<-exchange).ctx)
	// Output:
	// 1 GLOBEX
	// 2 HOOLI
	// 3 INITECH
	// the gateway's handler: context canceled
	// the exchange's handler: context canceled
}

// newlyBegun is an exchange whose first tick is due in a millisecond.
func newlyBegun() *Exchange {
	x := NewExchange(1)
	x.Epoch, x.Interval, x.History = time.Now(), time.Millisecond, 1<<40
	return x
}

// serveExample returns a client of a server in memory.
func serveExample(
	ticker tickerv1.TickerServiceServer, interceptors ...grpc.StreamServerInterceptor,
) (c tickerv1.TickerServiceClient, stop func()) {
	server := embedded.Serve(func(s grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(s, ticker)
	}, grpc.ChainStreamInterceptor(interceptors...))
	conn, err := server.NewClient()
	if err != nil {
		panic(err) // the options are wrong
	}
	return tickerv1.NewTickerServiceClient(conn), func() {
		_ = conn.Close()
		_ = server.Close()
	}
}
