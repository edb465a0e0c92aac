package clientstream

import (
	"context"
	"errors"
	"io"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// UploadChunks uploads the chunks that come from a channel, such as the
// output of a program that still runs, and returns the server's receipt. The
// file is complete when the channel is closed.
//
// While it waits for a chunk, UploadChunks also waits for the server:
// [Upload], which reads a file, notices no refusal while it reads. Do not
// change a chunk after you have sent it to the channel. UploadChunks
// stops receiving when it returns, so whoever sends to the channel watches
// another channel or a context as well.
//
// UploadChunks has no time limit of its own: the caller cancels ctx.
// DataLoss: UploadChunks noticed a receipt before the end of the channel. Any
// other error is the status that ended the call. The file may be stored if
// the status came after the channel was closed.
func UploadChunks(
	ctx context.Context, c uploadv1.UploadServiceClient,
	info *uploadv1.FileInfo, chunks <-chan []byte,
) (*uploadv1.UploadReceipt, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends RecvMsg after an error of Send
	stream, err := c.Upload(ctx)
	if err != nil {
		return nil, err
	}
	receipt := new(uploadv1.UploadReceipt)
	ended := make(chan error, 1)
	go func() { ended <- stream.RecvMsg(receipt) }() // the second half of CloseAndRecv
	err = stream.Send(infoRequest(info))
	for err == nil {
		select {
		case chunk, ok := <-chunks:
			if ok {
				err = stream.Send(chunkRequest(chunk))
				continue
			}
			if err := stream.CloseSend(); err != nil {
				return nil, err
			}
			if err := <-ended; err != nil {
				return nil, err
			}
			return receipt, nil
		case err := <-ended:
			return nil, early(err)
		}
	}
	if errors.Is(err, io.EOF) { // the RPC has ended; ask why
		return nil, early(<-ended)
	}
	return nil, err
}
