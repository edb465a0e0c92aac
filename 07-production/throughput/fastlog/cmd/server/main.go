// Command server offers the log of chapter 02 over TCP, entry by entry and in
// batches. The log is standard input or, if standard input is a terminal or
// /dev/null, made up.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	"google.golang.org/grpc/encoding"

	"example.com/streams/02-server-stream/logs"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastlog"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	listener  = cli.ServerFlags()
	retention = flag.Int("retention", 100_000, "hold this many `entries` of the log, and at most 64 MiB of text")
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) }

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	if *retention < 1 {
		return cli.Usagef("-retention: must be at least 1, got %d", *retention)
	}
	log := fastlog.NewLog(*retention)
	s := serve.New()
	s.OnDrain = log.Drain
	(&fastlog.LogServer{Log: log}).Register(s)
	go feed(ctx, log)
	return listener.Serve(ctx, s)
}

// feed appends to the log until its source ends. After the end of standard
// input, the server keeps serving what the log holds.
func feed(ctx context.Context, log *fastlog.Log) {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&fs.ModeCharDevice != 0 {
		logs.Generate(ctx, log, 250*time.Millisecond)
		return
	}
	if err := logs.Ingest(log, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "server: standard input:", err)
	}
}
