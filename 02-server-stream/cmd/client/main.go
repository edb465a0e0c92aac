// Command client follows a server's log, or downloads a report.
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
	"time"

	"google.golang.org/grpc"

	serverstream "example.com/streams/02-server-stream"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

var (
	count    = flag.Int("n", 0, "logs: stop after this many `entries` (default: never)")
	contains = flag.String("grep", "", "logs: only entries that contain this `text`")
	after    = flag.Uint64("after", 0, "logs: resume after this `sequence` (default: the oldest held)")
)

func main() { os.Exit(client.Main(embed, run)) }

// embed serves what cmd/server serves by default.
func embed(ctx context.Context, s grpc.ServiceRegistrar) {
	log := serverstream.NewLog(1000)
	logsv1.RegisterLogServiceServer(s, &serverstream.LogServer{Log: log})
	reportv1.RegisterReportServiceServer(s, &serverstream.ReportServer{FS: serverstream.Samples()})
	go serverstream.Generate(ctx, log, 250*time.Millisecond)
}

func run(ctx context.Context, conn *grpc.ClientConn) error {
	switch args := flag.Args(); {
	case len(args) == 0, args[0] == "logs" && len(args) == 1:
		return logs(ctx, logsv1.NewLogServiceClient(conn))
	case args[0] == "report" && len(args) == 2:
		return report(ctx, reportv1.NewReportServiceClient(conn), args[1])
	default:
		return command.Usagef("want logs or report ID, got %q", args)
	}
}

func logs(ctx context.Context, c logsv1.LogServiceClient) error {
	if *count < 0 {
		return command.Usagef("-n %d is negative", *count)
	}
	enough := errors.New("enough")
	shown := 0
	req := &logsv1.LogRequest{Contains: *contains, After: *after, Follow: true}
	err := serverstream.Follow(ctx, c, req, func(e *logsv1.LogEntry) error {
		end := "\n"
		if e.GetPartial() {
			end = "" // the line goes on in the next entry
		}
		if _, err := fmt.Print(e.GetMessage(), end); err != nil {
			return err
		}
		if shown++; shown == *count {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return fmt.Errorf("logs: %w", err)
	}
	return nil
}

func report(ctx context.Context, c reportv1.ReportServiceClient, id string) error {
	size, err := serverstream.Download(ctx, c, id, os.Stdout)
	if err != nil {
		return fmt.Errorf("report %s: %w", id, err)
	}
	fmt.Fprintf(os.Stderr, "report %s: %d bytes, SHA-256 verified\n", id, size)
	return nil
}
