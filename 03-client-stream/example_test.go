package clientstream_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/memserver"
)

func ExampleUpload() {
	client, stop, err := dial()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	file, err := os.Open("../LICENSE")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	receipt, err := clientstream.Upload(ctx, client,
		&uploadv1.FileInfo{Name: "LICENSE"}, file, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x  LICENSE\n", receipt.GetSha256())
	// Output:
	// cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30  LICENSE
}

// The file never ends. The server ends the upload, and the client learns
// why.
func ExampleUpload_refused() {
	client, stop, err := dial()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, name := range []string{"zeros", "../zeros"} {
		_, err := clientstream.Upload(ctx, client,
			&uploadv1.FileInfo{Name: name}, zeros{}, nil)
		fmt.Println(err)
	}
	// Output:
	// rpc error: code = ResourceExhausted desc = chunk: must not exceed 1048576 bytes in total, got 1310720
	// rpc error: code = InvalidArgument desc = name: must not contain any of /\<>:"|?*, got "../zeros"
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// dial serves an UploadServer with an empty directory and a limit of 1 MiB
// in memory. stop removes the directory.
func dial() (client uploadv1.UploadServiceClient, stop func(), err error) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		return nil, nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	conn, stopServer, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		uploadv1.RegisterUploadServiceServer(s, &clientstream.UploadServer{Root: root, MaxBytes: 1 << 20})
	})
	return uploadv1.NewUploadServiceClient(conn), func() {
		stopServer()
		_ = root.Close()
		_ = os.RemoveAll(dir)
	}, err
}
