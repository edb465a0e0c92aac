package cancellation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// Without Follow, the first failure is the end.
func ExampleWatch() {
	c, stop := serveExample(failing{newlyBegun(), 2, codes.Unavailable})
	defer stop()
	fromTheStart := &tickerv1.WatchRequest{After: new(uint64(0))}
	for tick, err := range Watch(context.Background(), c, fromTheStart, time.Minute) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(tick.GetSequence(), tick.GetSymbol(), tick.GetPriceCents())
	}
	// Output:
	// 1 GLOBEX 9952
	// 2 HOOLI 10010
	// rpc error: code = Unavailable desc = it failed
}

func ExampleFollow() {
	c, stop := serveExample(failing{newlyBegun(), 2, codes.Unavailable})
	defer stop()
	fromTheStart := &tickerv1.WatchRequest{After: new(uint64(0))}
	opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
		fmt.Println("again, because", status.Convert(err).Message())
	}}
	for tick, err := range Follow(context.Background(), c, fromTheStart, opts) {
		if err != nil {
			fmt.Println(err) // a retry cannot help
			break
		}
		fmt.Println(tick.GetSequence(), tick.GetSymbol(), tick.GetPriceCents())
		if tick.GetSequence() == 5 {
			break
		}
	}
	// Output:
	// 1 GLOBEX 9952
	// 2 HOOLI 10010
	// again, because it failed
	// 3 INITECH 10062
	// 4 UMBRELLA 10188
	// again, because it failed
	// 5 ACME 9978
}

// A read knows no context, but a deadline in the past ends it.
func ExampleRunUntil() {
	quiet, _ := net.Pipe()
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(time.Millisecond, func() { cancel(errors.New("the watcher has left")) })

	err := RunUntil(ctx,
		func() error { _, err := quiet.Read(make([]byte, 1)); return err },
		func() { _ = quiet.SetReadDeadline(time.Now()) },
	)
	fmt.Println(err)
	// Output: the watcher has left
}
