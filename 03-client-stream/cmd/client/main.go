// Command client uploads a file and prints its SHA-256 and the name under
// which it is stored, in the format of sha256sum.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/cli"
)

var (
	target  = cli.ClientFlags()
	name    = flag.String("name", "", "store the file as `name` (default: the last part of its path)")
	replace = flag.Bool("replace", false, "replace the file that has this name")
	idle    = flag.Duration("idle", 2*time.Minute, "give up if nothing can be sent or received for this `duration`")
)

func main() { os.Exit(cli.Main("client [flags] FILE", run)) }

func run(ctx context.Context) error {
	if flag.NArg() != 1 {
		return cli.Usagef("file: must be one path, got %q", flag.Args())
	}
	if *idle <= 0 {
		return cli.Usagef("-idle: must be positive, got %v", *idle)
	}
	file, err := open(ctx, flag.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := describe(file)
	if err != nil {
		return err
	}
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()
	receipt, err := upload(ctx, uploadv1.NewUploadServiceClient(conn), info, file)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if _, err := fmt.Printf("%x  %s\n", receipt.GetSha256(), info.GetName()); err != nil {
		return fmt.Errorf("the file is stored, but: %w", err)
	}
	return nil
}

// upload calls [clientstream.Upload] and shows the progress.
func upload(
	ctx context.Context, client uploadv1.UploadServiceClient, info *uploadv1.FileInfo, file *os.File,
) (*uploadv1.UploadReceipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	giveUp := time.AfterFunc(*idle, func() {
		cancel(fmt.Errorf("nothing was sent or received for %v", *idle))
	})
	defer giveUp.Stop()
	// Upload waits until its Read of the file returns. Close ends a Read
	// that waits for a pipe (but not on macOS).
	defer context.AfterFunc(ctx, func() { _ = file.Close() })()

	show, end := clientstream.ProgressLines(os.Stderr, info.GetSize()), ""
	if isTerminal(os.Stderr) {
		show, end = clientstream.ProgressBar(os.Stderr, info.GetSize()), "\n"
	}
	var r io.Reader = file
	if info.Size != nil { // a file that grows is uploaded as it was
		r = io.LimitReader(file, info.GetSize())
	}
	receipt, err := clientstream.Upload(ctx, client, info, r, func(sent int64) {
		giveUp.Reset(*idle)
		show(sent)
	})
	fmt.Fprint(os.Stderr, end)
	if err != nil && ctx.Err() != nil {
		if errors.Is(err, clientstream.ErrNoReceipt) { // after Ctrl-C, nobody else says so
			fmt.Fprintf(os.Stderr, "client: %v\n", clientstream.ErrNoReceipt)
		}
		err = context.Cause(ctx)
	}
	return receipt, err
}

// register adds the service of the in-process server, which removes a file
// when it has sent the receipt.
func register(_ context.Context, s grpc.ServiceRegistrar) error {
	uploadv1.RegisterUploadServiceServer(s, temporary{})
	return nil
}
