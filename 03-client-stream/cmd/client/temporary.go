package main

import (
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// temporary implements UploadService. It stores each file in a temporary
// directory, which it removes at the end of the call.
type temporary struct {
	uploadv1.UnimplementedUploadServiceServer
}

func (temporary) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	dir, err := os.MkdirTemp("", "upload-")
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	defer root.Close()
	return (&clientstream.UploadServer{Root: root}).Upload(stream)
}
