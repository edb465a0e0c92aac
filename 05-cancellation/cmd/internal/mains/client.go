package mains

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
	"example.com/streams/internal/bufnet/embedded"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

// Client is the main function of cmd/client. It returns the exit status.
func Client() int {
	var o options
	flag.Func("symbols", "only these `A,B,...` (default: all)", o.setSymbols)
	flag.IntVar(&o.n, "n", 0, "end after so many `ticks`; 0: never")
	flag.BoolVar(&o.resume, "resume", false, "come back when the stream fails, and go on where it ended")
	return client.Main(o.embed, o.run, cancellation.DialOptions()...)
}

type options struct {
	symbols []string
	n       int
	resume  bool
	broken  error // why there is no embedded server
}

// embed serves a gateway, and behind it an exchange of its own.
func (o *options) embed(ctx context.Context, s grpc.ServiceRegistrar) {
	x := cancellation.NewExchange(1)
	x.Interval = 200 * time.Millisecond
	exchange := embedded.Serve(func(s grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(s, x)
	})
	conn, err := exchange.NewClient()
	if err != nil {
		o.broken = err
		return
	}
	context.AfterFunc(ctx, func() { _, _ = conn.Close(), exchange.Close() })
	tickerv1.RegisterTickerServiceServer(s, cancellation.NewGateway(tickerv1.NewTickerServiceClient(conn)))
}

func (o *options) setSymbols(list string) error {
	o.symbols = strings.Split(list, ",")
	if slices.Contains(o.symbols, "") {
		return errors.New("a symbol is empty")
	}
	return nil
}

func (o *options) run(ctx context.Context, conn *grpc.ClientConn) error {
	switch {
	case flag.NArg() > 0:
		return command.Usagef("unexpected argument %q", flag.Arg(0))
	case o.n < 0:
		return command.Usagef("-n %d is negative", o.n)
	case o.broken != nil:
		return o.broken
	}
	c, req := tickerv1.NewTickerServiceClient(conn), &tickerv1.WatchRequest{Symbols: o.symbols}
	ticks := cancellation.Watch(ctx, c, req, time.Minute)
	if o.resume {
		ticks = cancellation.Follow(ctx, c, req, cancellation.FollowOptions{OnRetry: report})
	}
	for tick, err := range ticks {
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if _, err := fmt.Println(line(tick)); err != nil {
			return err
		}
		if o.n--; o.n == 0 {
			break
		}
	}
	return nil
}

// line shows a tick. What a server calls a symbol may be anything, so it is
// quoted for the terminal, and then without the quotes.
func line(t *tickerv1.Tick) string {
	symbol := strings.Trim(strconv.QuoteToASCII(t.GetSymbol()), `"`)
	return fmt.Sprintf("%d %s %-8s %6.2f", t.GetSequence(),
		t.GetTimestamp().AsTime().Format(time.TimeOnly), symbol, float64(t.GetPriceCents())/100)
}

func report(err error, wait time.Duration) {
	fmt.Fprintf(os.Stderr, "client: %s; trying again in %v\n", command.Describe(err), wait.Round(time.Millisecond))
}
