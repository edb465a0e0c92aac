// Command client uploads a file and prints the file's SHA-256 as sha256sum
// does.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/cli"
)

var (
	target  = cli.ClientFlags()
	name    = flag.String("name", "", "store the file as `name` (default: the last part of its path)")
	replace = flag.Bool("replace", false, "replace the file that has this name")
)

func main() { os.Exit(cli.Main("client [flags] FILE", run)) }

func run(ctx context.Context) error {
	if flag.NArg() != 1 {
		return cli.Usagef("file: must be one path, got %q", flag.Args())
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	// After Ctrl-C, Upload waits until its Read of the file returns. Close
	// ends a Read that waits for a pipe (but not on macOS).
	defer context.AfterFunc(ctx, func() { _ = file.Close() })()
	info, err := describe(file)
	if err != nil {
		return err
	}
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()
	progress, end := clientstream.ProgressLines(os.Stderr, info.GetSize()), ""
	if isTerminal(os.Stderr) {
		progress, end = clientstream.ProgressBar(os.Stderr, info.GetSize()), "\n"
	}
	receipt, err := clientstream.Upload(ctx, uploadv1.NewUploadServiceClient(conn), info, file, progress)
	fmt.Fprint(os.Stderr, end)
	if err != nil {
		return fmt.Errorf("upload: %w", cmp.Or(ctx.Err(), err))
	}
	fmt.Printf("%x  %s\n", receipt.GetSha256(), info.GetName())
	return nil
}

// register adds the service of the in-process server, which removes a file
// when it has sent the receipt.
func register(_ context.Context, s grpc.ServiceRegistrar) error {
	uploadv1.RegisterUploadServiceServer(s, temporary{})
	return nil
}

func describe(file *os.File) (*uploadv1.FileInfo, error) {
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return nil, fmt.Errorf("%s: is a directory", file.Name())
	}
	info := &uploadv1.FileInfo{
		Name:    cmp.Or(*name, filepath.Base(file.Name())),
		Replace: *replace,
	}
	// The size of a pipe is unknown. A file in /proc has size 0, although
	// it is not empty.
	if size := stat.Size(); stat.Mode().IsRegular() && size > 0 {
		info.Size = new(size) // since Go 1.26: a pointer to a copy of size
	}
	return info, nil
}

func isTerminal(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
