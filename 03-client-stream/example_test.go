package clientstream_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet/embedded"
)

func ExampleUpload() {
	client, root, stop := connect(clientstream.DefaultMaxBytes)
	defer stop()

	receipt, err := clientstream.Upload(context.Background(), client,
		&uploadv1.FileInfo{Name: "hello.txt"}, strings.NewReader("hello, world\n"),
		func(sent int64) { fmt.Println("sent", sent, "bytes") })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x  hello.txt\n", receipt.GetSha256())

	stored, err := root.ReadFile("hello.txt")
	fmt.Printf("%s%v\n", stored, err)
	// Output:
	// sent 0 bytes
	// sent 13 bytes
	// 853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020  hello.txt
	// hello, world
	// <nil>
}

// The reader never ends. The server ends the upload, and the client learns
// why.
func ExampleUpload_refused() {
	client, _, stop := connect(1 << 20)
	defer stop()

	_, err := clientstream.Upload(context.Background(), client,
		&uploadv1.FileInfo{Name: "zeros"}, zeros{}, nil)
	fmt.Println(err)
	_, err = clientstream.Upload(context.Background(), client,
		&uploadv1.FileInfo{Name: "../zeros"}, zeros{}, nil)
	fmt.Println(err)
	// Output:
	// rpc error: code = ResourceExhausted desc = chunk: at most 1048576 bytes are taken
	// rpc error: code = InvalidArgument desc = name: must not contain a slash or a backslash, got "../zeros"
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// connect serves a new directory, in memory.
func connect(maxBytes int64) (uploadv1.UploadServiceClient, *os.Root, func()) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		panic(err)
	}
	server := embedded.Serve(func(s grpc.ServiceRegistrar) {
		uploadv1.RegisterUploadServiceServer(s, &clientstream.UploadServer{Root: root, MaxBytes: maxBytes})
	})
	conn, err := server.NewClient()
	if err != nil {
		panic(err)
	}
	return uploadv1.NewUploadServiceClient(conn), root, func() {
		conn.Close()
		_ = server.Close()
		_ = root.Close()
		_ = os.RemoveAll(dir)
	}
}
