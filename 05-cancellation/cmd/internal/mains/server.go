// Package mains holds the main functions of the chapter's commands, where
// one test can start all three as processes.
package mains

import (
	"context"
	"flag"
	"time"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/command"
	"example.com/streams/internal/serve"
)

// Server is the main function of cmd/server. It returns the exit status.
func Server() int {
	x := cancellation.NewExchange(1)
	flag.Uint64Var(&x.Seed, "seed", x.Seed, "the `seed` of all prices")
	flag.DurationVar(&x.Interval, "interval", x.Interval, "the time between two ticks")
	flag.Uint64Var(&x.History, "history", x.History, "how many `ticks` to hold for those who come back")
	return serve.Main(func(ctx context.Context, s *serve.Server) error {
		switch {
		case x.Interval < time.Millisecond:
			return command.Usagef("-interval %v is below 1ms", x.Interval)
		case x.History < 1:
			return command.Usagef("-history %d is below 1", x.History)
		}
		tickerv1.RegisterTickerServiceServer(s, x)
		s.OnDrain = x.Drain
		return s.Run(ctx)
	}, cancellation.ServerOptions()...)
}
