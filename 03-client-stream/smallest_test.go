package clientstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/memserver"
)

// A sizeServer counts the bytes that it receives.
type sizeServer struct {
	uploadv1.UnimplementedUploadServiceServer
}

func (sizeServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	size := 0
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) { // the half-close: no message follows
			return stream.SendAndClose(&uploadv1.UploadReceipt{Size: int64(size)})
		}
		if err != nil {
			return err // not the half-close: the file may be incomplete
		}
		size += len(req.GetChunk())
	}
}

// sendAll sends chunks and returns the receipt. Do not copy it: it returns
// the error of Send, which hides why a server refuses the call. See
// Example_naiveReason, and send in client.go.
func sendAll(
	ctx context.Context, client uploadv1.UploadServiceClient, chunks ...[]byte,
) (*uploadv1.UploadReceipt, error) {
	stream, err := client.Upload(ctx)
	if err != nil {
		return nil, err
	}
	for _, chunk := range chunks {
		if err := stream.Send(chunkRequest(chunk)); err != nil {
			return nil, err
		}
	}
	return stream.CloseAndRecv() // half-closes, and waits for the response
}

// The smallest client stream sends three messages and receives one.
func Example_smallest() {
	client, stop, err := connect(sizeServer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	receipt, err := sendAll(ctx, client, []byte("one "), []byte("two "), []byte("three"))
	fmt.Println(receipt.GetSize(), "bytes, error:", err)
	// Output:
	// 13 bytes, error: <nil>
}

// connect serves srv in memory for an example.
func connect(srv uploadv1.UploadServiceServer) (_ uploadv1.UploadServiceClient, stop func(), err error) {
	conn, stop, err := memserver.Dial(register(srv))
	return uploadv1.NewUploadServiceClient(conn), stop, err
}
