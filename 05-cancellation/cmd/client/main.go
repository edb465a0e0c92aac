// Command client prints ticks as they arrive.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver"
	"example.com/streams/internal/printable"
)

var (
	target  = cli.ClientFlags()
	count   = flag.Int("n", 0, "end after this many `ticks`; 0 means never")
	resume  = flag.Bool("resume", false, "when the call fails, make a new one that resumes after the last tick")
	after   *uint64
	symbols = flag.String("symbols", "", "print only the ticks of `A,B,...` (default: all)")
)

func main() {
	flag.Func("after", "begin after the tick with this `sequence` (default: with the next one)", setAfter)
	os.Exit(cli.Main("client", run))
}

func setAfter(value string) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return errors.New("must be a number")
	}
	after = &n
	return nil
}

func run(ctx context.Context) error {
	req, err := request()
	if err != nil {
		return err
	}
	conn, stop, err := target.Connect(register, cancellation.DialOptions()...)
	if err != nil {
		return err
	}
	defer stop()
	c := tickerv1.NewTickerServiceClient(conn)
	ticks := cancellation.Ticks(ctx, c, req, time.Minute)
	if *resume {
		ticks = cancellation.Follow(ctx, c, req, cancellation.FollowOptions{OnRetry: report})
	}
	left := *count
	for tick, err := range ticks {
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if err := show(tick); err != nil {
			return err
		}
		if left--; left == 0 {
			break
		}
	}
	return nil
}

// request returns the request that the flags describe.
func request() (*tickerv1.WatchRequest, error) {
	if *count < 0 {
		return nil, cli.Usagef("-n: must be at least 0, got %d", *count)
	}
	req := &tickerv1.WatchRequest{After: after}
	if *symbols != "" {
		req.Symbols = strings.Split(*symbols, ",")
	}
	if slices.Contains(req.Symbols, "") {
		return nil, cli.Usagef("-symbols: must not contain an empty symbol, got %q", *symbols)
	}
	return req, cli.NoArgs()
}

// register adds a gateway, and starts the exchange behind it in memory.
func register(ctx context.Context, s grpc.ServiceRegistrar) error {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(s, &cancellation.Exchange{Interval: 200 * time.Millisecond})
	})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, stop)
	tickerv1.RegisterTickerServiceServer(s, cancellation.NewGateway(tickerv1.NewTickerServiceClient(conn)))
	return nil
}

func show(t *tickerv1.Tick) error {
	_, err := fmt.Printf("%d %s %-8s %6.2f\n", t.GetSequence(), t.GetTimestamp().AsTime().Format(time.TimeOnly),
		printable.Escape(t.GetSymbol()), float64(t.GetPriceCents())/100)
	return err
}

func report(err error, wait time.Duration) {
	fmt.Fprintf(os.Stderr, "client: %s; retry in %v\n", cli.Describe(err), wait.Round(time.Millisecond))
}
