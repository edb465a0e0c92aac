// Command server offers LogService and ReportService over TCP. The log is
// standard input, if that is not a terminal, else made up.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	serverstream "example.com/streams/02-server-stream"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/command"
	"example.com/streams/internal/serve"
)

var (
	reports = flag.String("reports", "", "the `folder` with the reports (default: samples)")
	window  = flag.Int("window", 10_000, "how many `entries` the log holds")
)

func main() { os.Exit(serve.Main(run)) }

func run(ctx context.Context, s *serve.Server) error {
	if *window < 1 {
		return command.Usagef("-window %d is less than 1", *window)
	}
	log := serverstream.NewLog(*window)
	s.OnDrain = log.Close
	logsv1.RegisterLogServiceServer(s, &serverstream.LogServer{Log: log})

	files := serverstream.Samples()
	if *reports != "" {
		root, err := os.OpenRoot(*reports) // no id leads out of it
		if err != nil {
			return err
		}
		defer root.Close()
		files = root.FS()
	}
	reportv1.RegisterReportServiceServer(s, &serverstream.ReportServer{FS: files})

	go feed(ctx, log)
	return s.Run(ctx)
}

// feed appends to the log until its source ends. After the end of standard
// input the server serves what it has.
func feed(ctx context.Context, log *serverstream.Log) {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&fs.ModeCharDevice != 0 {
		serverstream.Generate(ctx, log, 250*time.Millisecond)
		return
	}
	if err := serverstream.Ingest(log, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "server: standard input:", err)
	}
}
