// Command client prints a log as it grows, or downloads a report.
//
//	client [flags] [logs]
//	client [flags] report ID
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	logID    string // of -after
	after    uint64
)

func main() {
	flag.Func("after", "logs: begin after this `[LOG:]SEQUENCE`, as an earlier run printed it (default: with the oldest entry held)", setAfter)
	os.Exit(cli.Main("client [flags] [logs | report ID]", run))
}

func setAfter(value string) (err error) {
	colon := strings.LastIndex(value, ":") // -1: the log is not named
	logID = value[:max(0, colon)]
	if after, err = strconv.ParseUint(value[colon+1:], 10, 64); err != nil {
		return errors.New("must be SEQUENCE or LOG:SEQUENCE")
	}
	return nil
}

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
	req := &logsv1.LogRequest{Contains: *contains, LogId: logID, After: after, Follow: true}
	printed := 0
	for e, err := range logs.Tail(ctx, c, req) {
		if err != nil {
			if status.Code(err) != codes.OutOfRange {
				printResume(req)
			}
			return fmt.Errorf("logs: %w", err)
		}
		// A log holds text of strangers, which must not command a terminal.
		end := "\n"
		if e.GetPartial() {
			end = "" // the line continues in a later entry
		}
		if _, err := fmt.Print(printable.Escape(e.GetMessage()), end); err != nil {
			return err
		}
		if printed++; printed == *count {
			break // which cancels the call
		}
	}
	printResume(req)
	return nil
}

// printResume says where the next run may begin. The log of the in-process
// server ends with this run.
func printResume(req *logsv1.LogRequest) {
	if target.Addr != "" && req.GetLogId() != "" {
		position := fmt.Sprintf("%s:%d", req.GetLogId(), req.GetAfter())
		fmt.Fprintln(os.Stderr, "logs: resume with -after", printable.Escape(position))
	}
}

func download(ctx context.Context, c reportv1.ReportServiceClient, id string) error {
	size, err := report.Download(ctx, c, id, os.Stdout)
	if err != nil {
		return fmt.Errorf("report %s: %w", id, err)
	}
	fmt.Fprintf(os.Stderr, "report %s: %d bytes, SHA-256 verified\n", id, size)
	return nil
}
