// Command cost measures what idle streams and connections take, what streams
// take that nobody reads, and what small windows cost.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/07-production/memory"
	"example.com/streams/07-production/memory/internal/measure"
	"example.com/streams/internal/cli"
)

func main() { os.Exit(cli.Main("cost", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{idle, unread, speed} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

var windows = []struct {
	name string
	opts []grpc.DialOption
}{{"default windows", nil}, {"static windows", memory.DialOptions()}}

func idle(ctx context.Context) error {
	bytes, err := measure.Idle(ctx, 1, 1000, true)
	if err != nil {
		return err
	}
	fmt.Printf("1000 idle streams on 1 connection:    %5d MiB, %5d KiB each\n", bytes>>20, bytes/1000>>10)
	bytes, err = measure.Idle(ctx, 200, 1, true)
	if err != nil {
		return err
	}
	fmt.Printf("200 idle streams on 200 connections:  %5d MiB, %5d KiB each\n", bytes>>20, bytes/200>>10)
	return nil
}

func unread(ctx context.Context) error {
	for _, w := range windows {
		held, err := measure.Unread{Streams: 200, Entries: 500, MessageSize: 1200, RTT: time.Millisecond}.Measure(ctx, w.opts...)
		if err != nil {
			return err
		}
		fmt.Printf("200 unread streams, %-17s %5d MiB, %5d KiB each\n", w.name+":", held.Heap*200>>20, held.Heap>>10)
	}
	return nil
}

func speed(ctx context.Context) error {
	for _, w := range windows {
		d, err := measure.Transfer{MiB: 4, RTT: 20 * time.Millisecond}.Time(ctx, w.opts...)
		if err != nil {
			return err
		}
		fmt.Printf("4 MiB at 20 ms, %-21s %5d ms\n", w.name+":", d.Milliseconds())
	}
	return nil
}
