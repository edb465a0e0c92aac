// Command client uploads a file with fewer copies, prints the file's SHA-256
// in the format of sha256sum, and says how long the upload took. The in-process server
// stores nothing.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastupload"
	"example.com/streams/internal/cli"
)

var (
	target  = cli.ClientFlags()
	replace = flag.Bool("replace", false, "replace the file that has this name")
	plain   = flag.Bool("plain", false, "send as the client of chapter 03 does")
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) }

func main() { os.Exit(cli.Main("client [flags] FILE", run)) }

func run(ctx context.Context) error {
	if flag.NArg() != 1 {
		return cli.Usagef("file: must be one path, got %q", flag.Args())
	}
	file, info, err := open(flag.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()
	upload := fastupload.Upload
	if *plain {
		upload = clientstream.Upload
	}
	start := time.Now()
	// A file that grows is uploaded as it was.
	r := io.LimitReader(file, info.GetSize())
	receipt, err := upload(ctx, uploadv1.NewUploadServiceClient(conn), info, r, nil)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	fmt.Fprintf(os.Stderr, "client: %d bytes in %v\n", receipt.GetSize(), time.Since(start).Round(time.Millisecond))
	if _, err := fmt.Printf("%x  %s\n", receipt.GetSha256(), info.GetName()); err != nil {
		return fmt.Errorf("the file is stored, but: %w", err)
	}
	return nil
}

// open opens a regular file, and describes it to the server. The client of
// chapter 03 also sends pipes.
func open(path string) (*os.File, *uploadv1.FileInfo, error) {
	stat, err := os.Stat(path) // before Open, which would wait for a pipe
	if err != nil {
		return nil, nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: must be a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	size := stat.Size()
	return file, &uploadv1.FileInfo{Name: filepath.Base(path), Size: &size, Replace: *replace}, nil
}

// register adds the service of the in-process server.
func register(_ context.Context, s grpc.ServiceRegistrar) error {
	uploadv1.RegisterUploadServiceServer(s, discard{})
	return nil
}

// discard implements UploadService, and stores nothing.
type discard struct {
	uploadv1.UnimplementedUploadServiceServer
}

func (discard) Upload(stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]) error {
	size, hash := int64(0), sha256.New()
	stream = fastupload.Receive(stream)
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Size: size, Sha256: hash.Sum(nil)})
		}
		if err != nil {
			return err
		}
		size += int64(len(req.GetChunk()))
		hash.Write(req.GetChunk())
	}
}
