// Command server offers LogService and ReportService over TCP. The log is
// standard input or, if standard input is a terminal or another device, such
// as /dev/null, made up.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/02-server-stream/report"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/02-server-stream/samples"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener  = cli.ServerFlags()
	reports   = flag.String("reports", "", "serve the reports in this `directory` (default: built-in samples)")
	retention = flag.Int("retention", 10_000, "hold this many `entries` of the log, and at most 64 MiB of text")
)

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	if *retention < 1 {
		return cli.Usagef("-retention: must be at least 1, got %d", *retention)
	}
	log := logs.NewLog(*retention)
	s := serve.New()
	s.OnDrain = log.Drain
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})

	var files fs.FS = samples.Reports
	if *reports != "" {
		root, err := os.OpenRoot(*reports) // no id leads out of the directory
		if err != nil {
			return err
		}
		defer root.Close()
		files = root.FS()
	}
	reportv1.RegisterReportServiceServer(s, &report.ReportServer{FS: files})

	go feed(ctx, log)
	return listener.Serve(ctx, s)
}

// feed appends to the log until its source ends. After the end of standard
// input, the server keeps serving what the log holds.
func feed(ctx context.Context, log *logs.Log) {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&fs.ModeCharDevice != 0 {
		logs.Generate(ctx, log, 250*time.Millisecond)
		return
	}
	if err := logs.Ingest(log, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "server: standard input:", err)
	}
}
