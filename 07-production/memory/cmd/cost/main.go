// Command cost measures what streams take that nobody reads, what idle
// streams and connections take, and what small windows cost.
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
	for _, step := range []func(context.Context) error{unread, idle, speed} {
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

func unread(ctx context.Context) error {
	for _, w := range windows {
		held, err := measure.Unread{Streams: 200, Entries: 500, MessageSize: 1200, RTT: time.Millisecond}.Measure(ctx, w.opts...)
		if err != nil {
			return err
		}
		fmt.Printf("200 unread streams, %-16s %4d MiB, %4d KiB each\n", w.name+":", held.Heap*200>>20, held.Heap>>10)
	}
	return nil
}

func idle(ctx context.Context) error {
	bytes, err := measure.Idle(ctx, 1, 1000, true)
	if err != nil {
		return err
	}
	fmt.Printf("1000 idle streams, one connection:  %4d MiB, %4d KiB each\n", bytes>>20, bytes/1000>>10)
	bytes, err = measure.Idle(ctx, 200, 1, true)
	if err != nil {
		return err
	}
	fmt.Printf("200 idle streams, 200 connections:  %4d MiB, %4d KiB each\n", bytes>>20, bytes/200>>10)
	return nil
}

func speed(ctx context.Context) error {
	for _, w := range windows {
		d, err := measure.Transfer{MiB: 4, RTT: 20 * time.Millisecond}.Time(ctx, w.opts...)
		if err != nil {
			return err
		}
		fmt.Printf("4 MiB at 20 ms, %-16s %4d ms\n", w.name+":", d.Milliseconds())
	}
	return nil
}
