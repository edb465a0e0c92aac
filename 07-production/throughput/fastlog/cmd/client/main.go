// Command client prints a log, which it receives in batches unless -plain is
// set, and says how long that took. The in-process server holds 100,000 lines, and makes up one
// more each 250 ms.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastlog"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/printable"
)

var (
	target   = cli.ClientFlags()
	count    = flag.Int("n", 0, "stop after this many `entries` (default: never)")
	contains = flag.String("grep", "", "print only entries that contain this `text`")
	plain    = flag.Bool("plain", false, "receive one entry in a message, as the client of chapter 02 does")
	quiet    = flag.Bool("quiet", false, "print no entries")
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) }

func main() { os.Exit(cli.Main("client", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	if *count < 0 {
		return cli.Usagef("-n: must be at least 0, got %d", *count)
	}
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()
	client := fastlog.NewClient(conn)
	if *plain {
		client = logsv1.NewLogServiceClient(conn)
	}
	start := time.Now()
	received, err := printLogs(ctx, client)
	fmt.Fprintf(os.Stderr, "client: %d entries in %v\n", received, time.Since(start).Round(time.Millisecond))
	return err
}

// printLogs follows the log, and returns the number of the entries that it
// has received.
func printLogs(ctx context.Context, client logsv1.LogServiceClient) (received int, err error) {
	req := &logsv1.LogRequest{Contains: *contains, Follow: true}
	for e, err := range logs.Tail(ctx, client, req) {
		if err != nil {
			return received, fmt.Errorf("logs: %w", err)
		}
		received++
		if err := printEntry(e); err != nil {
			return received, err
		}
		if received == *count {
			break // which cancels the call
		}
	}
	return received, nil
}

func printEntry(e *logsv1.LogEntry) error {
	if *quiet {
		return nil
	}
	end := "\n"
	if e.GetPartial() {
		end = "" // the line continues in a later entry
	}
	// A log holds text of strangers, which must not command a terminal.
	_, err := fmt.Print(printable.Escape(e.GetMessage()), end)
	return err
}

// register adds the service of the in-process server.
func register(ctx context.Context, s grpc.ServiceRegistrar) error {
	log := fastlog.NewLog(110_000)
	for i := range 100_000 {
		log.Append(fmt.Sprintf("INFO  checkout GET /cart/%d 200 12ms", i+1), false)
	}
	(&fastlog.LogServer{Log: log}).Register(s)
	go logs.Generate(ctx, log, 250*time.Millisecond)
	return nil
}
