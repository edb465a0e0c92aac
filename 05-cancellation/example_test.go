package cancellation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/memserver"
)

// A relay is the smallest gateway.
type relay struct {
	tickerv1.UnimplementedTickerServiceServer
	upstream tickerv1.TickerServiceClient
}

func (r relay) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	up, err := r.upstream.Watch(down.Context(), req) // the context of the client's call
	if err != nil {
		return err
	}
	return forward(up, down)
}

// forward sends to down what up receives, until one of them ends.
func forward(
	up grpc.ServerStreamingClient[tickerv1.Tick],
	down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	for {
		tick, err := up.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the upstream ended with OK
		}
		if err != nil {
			return err // the status of the call upstream
		}
		if err := down.Send(tick); err != nil {
			return err // the client's call has ended
		}
	}
}

// copyKey returns a context for a call to the upstream. Of the metadata of
// the call that has the context ctx, it passes on one key.
func copyKey(ctx context.Context, key string) context.Context {
	for _, value := range metadata.ValueFromIncomingContext(ctx, key) {
		ctx = metadata.AppendToOutgoingContext(ctx, key, value)
	}
	return ctx
}

// serveGateway serves a gateway until ctx ends, and then drains it.
func serveGateway(ctx context.Context, listener net.Listener, upstream string) error {
	plaintext := grpc.WithTransportCredentials(insecure.NewCredentials())
	conn, err := grpc.NewClient(upstream, append(DialOptions(), plaintext)...)
	if err != nil {
		return err
	}
	defer conn.Close()
	s := grpc.NewServer(ServerOptions()...)
	g := NewGateway(tickerv1.NewTickerServiceClient(conn))
	tickerv1.RegisterTickerServiceServer(s, g)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	select {
	case err := <-served:
		return err // the listener has failed
	case <-ctx.Done():
	}
	g.Drain()
	stopWithin(s, 5*time.Second)
	return <-served // nil, unless ctx ended before Serve began
}

// printTicks prints n ticks, and then cancels the call.
func printTicks(ctx context.Context, c tickerv1.TickerServiceClient, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream, and the one behind the gateway
	// From tick 1 on. Since Go 1.26, new(value) returns a pointer to a copy.
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
	exchange, gateway := make(ends, 1), make(ends, 1)
	c, stopExchange := serveExample(newExchange(), exchange)
	defer stopExchange()
	c, stopGateway := serveExample(relay{upstream: c}, gateway)
	defer stopGateway()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := printTicks(ctx, c, 3); err != nil {
		fmt.Println(err)
	}
	fmt.Println("the gateway's handler:", (<-gateway).context)
	fmt.Println("the exchange's handler:", (<-exchange).context)
	// Output:
	// 1 GLOBEX
	// 2 HOOLI
	// 3 INITECH
	// the gateway's handler: context canceled
	// the exchange's handler: context canceled
}

// Ticks does not retry: the loop ends when the call ends. Ticks reports the
// status OK as Unavailable.
func ExampleTicks() {
	c, stop := serveExample(failAfter(2, nil, newExchange()), nil)
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fromTheStart := &tickerv1.WatchRequest{After: new(uint64(0))}
	for tick, err := range Ticks(ctx, c, fromTheStart, time.Minute) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(tick.GetSequence(), tick.GetSymbol(), tick.GetPriceCents())
	}
	// Output:
	// 1 GLOBEX 10016
	// 2 HOOLI 10291
	// rpc error: code = Unavailable desc = the server ended the stream
}

func ExampleFollow() {
	c, stop := serveExample(failAfter(2, errFailed, newExchange()), nil)
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fromTheStart := &tickerv1.WatchRequest{After: new(uint64(0))}
	opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
		fmt.Println("retry, because", status.Convert(err).Message())
	}}
	for tick, err := range Follow(ctx, c, fromTheStart, opts) {
		if err != nil {
			fmt.Println(err) // not retryable
			break
		}
		fmt.Println(tick.GetSequence(), tick.GetSymbol(), tick.GetPriceCents())
		if tick.GetSequence() == 5 {
			break
		}
	}
	// Output:
	// 1 GLOBEX 10016
	// 2 HOOLI 10291
	// retry, because it failed
	// 3 INITECH 9532
	// 4 UMBRELLA 9480
	// retry, because it failed
	// 5 ACME 9359
}

// newExchange returns an exchange that publishes tick 1 in a millisecond.
func newExchange() *Exchange {
	return &Exchange{Epoch: time.Now(), Interval: time.Millisecond, Retention: 1 << 40}
}

// serveExample serves ticker in memory and returns a client of it. handlers,
// if not nil, records how the handlers end.
func serveExample(
	ticker tickerv1.TickerServiceServer, handlers ends,
) (c tickerv1.TickerServiceClient, stop func()) {
	server := memserver.Serve(func(r grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(r, ticker)
	}, grpc.StreamInterceptor(handlers.record))
	conn, _ := server.NewClient() // fails only if an option is wrong
	return tickerv1.NewTickerServiceClient(conn), func() {
		_ = conn.Close()
		_ = server.Close()
	}
}
