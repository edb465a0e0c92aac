// Command client prints a log as it grows, or downloads a report.
//
//	client [flags] [logs]
//	client [flags] report ID
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/02-server-stream/report"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/02-server-stream/samples"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/printable"
)

var (
	target   = cli.ClientFlags()
	count    = flag.Int("n", 0, "logs: stop after this many `entries` (default: never)")
	contains = flag.String("grep", "", "logs: print only entries that contain this `text`")
	after    = flag.Uint64("after", 0, "logs: begin after this `sequence` (default: with the oldest entry held)")
)

func main() { os.Exit(cli.Main("client [flags] [logs | report ID]", run)) }

func run(ctx context.Context) error {
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()
	switch args := flag.Args(); {
	case len(args) == 0, args[0] == "logs" && len(args) == 1:
		return printLogs(ctx, logsv1.NewLogServiceClient(conn))
	case args[0] == "report" && len(args) == 2:
		return download(ctx, reportv1.NewReportServiceClient(conn), args[1])
	default:
		return cli.Usagef("arguments: must be \"logs\" or \"report ID\", got %q", args)
	}
}

// register adds the services of the in-process server: a log that grows, and
// the sample reports.
func register(ctx context.Context, s grpc.ServiceRegistrar) error {
	log := logs.NewLog(1000)
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	reportv1.RegisterReportServiceServer(s, &report.ReportServer{FS: samples.Reports})
	go logs.Generate(ctx, log, 250*time.Millisecond)
	return nil
}

func printLogs(ctx context.Context, c logsv1.LogServiceClient) error {
	if *count < 0 {
		return cli.Usagef("-n: must be at least 0, got %d", *count)
	}
	req := &logsv1.LogRequest{Contains: *contains, After: *after, Follow: true}
	printed := 0
	for e, err := range logs.Tail(ctx, c, req) {
		if err != nil {
			return fmt.Errorf("logs: %w", err)
		}
		// A log holds text of strangers, which must not command a terminal.
		end := "\n"
		if e.GetPartial() {
			end = "" // the line continues in the next entry
		}
		if _, err := fmt.Print(printable.Escape(e.GetMessage()), end); err != nil {
			return err
		}
		if printed++; printed == *count {
			break // which cancels the call
		}
	}
	return nil
}

func download(ctx context.Context, c reportv1.ReportServiceClient, id string) error {
	size, err := report.Download(ctx, c, id, os.Stdout)
	if err != nil {
		return fmt.Errorf("report %s: %w", id, err)
	}
	fmt.Fprintf(os.Stderr, "report %s: %d bytes, SHA-256 verified\n", id, size)
	return nil
}
