// Command client uploads a file and prints its SHA-256 as sha256sum does.
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
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

var (
	name    = flag.String("name", "", "store the file under `name` (default: the last part of its path)")
	replace = flag.Bool("replace", false, "replace a file that has the name")
)

func main() { os.Exit(client.Main(embed, run)) }

func embed(_ context.Context, s grpc.ServiceRegistrar) {
	uploadv1.RegisterUploadServiceServer(s, temporary{})
}

func run(ctx context.Context, conn *grpc.ClientConn) error {
	if flag.NArg() != 1 {
		return command.Usagef("want one file, got %q", flag.Args())
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		return err
	}
	// Upload notices Ctrl-C between two reads; a pipe may wait in one.
	defer context.AfterFunc(ctx, func() { _ = file.Close() })()
	defer file.Close()
	info, err := describe(file)
	if err != nil {
		return err
	}
	progress, done := newProgress(info)
	uploads := uploadv1.NewUploadServiceClient(conn)
	receipt, err := clientstream.Upload(ctx, uploads, info, file, progress)
	done()
	if err != nil {
		return fmt.Errorf("upload: %w", cmp.Or(ctx.Err(), err))
	}
	fmt.Printf("%x  %s\n", receipt.GetSha256(), info.GetName())
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
	// The size of a pipe is not known. Files in /proc say 0, and are not
	// empty.
	if size := stat.Size(); stat.Mode().IsRegular() && size > 0 {
		info.Size = new(size)
	}
	return info, nil
}
