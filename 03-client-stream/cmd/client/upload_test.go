package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// A slowServer waits before it receives a message. It stores nothing.
type slowServer struct {
	uploadv1.UnimplementedUploadServiceServer
	wait time.Duration
}

func (s slowServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	hash := sha256.New()
	for {
		time.Sleep(s.wait)
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Sha256: hash.Sum(nil)})
		}
		if err != nil {
			return err
		}
		hash.Write(req.GetChunk())
	}
}

func TestUpload_GivesUpOnlyWithoutProgress(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wait   time.Duration
		reason string
	}{
		{"a slow server", *idle / 6, ""},
		{"a server that hangs", 24 * time.Hour, "nothing was sent or received for 2m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("x"), 4<<20), 0o600))
			synctest.Test(t, func(t *testing.T) {
				file, err := os.Open(path)
				require.NoError(t, err)
				defer file.Close()
				client := uploadv1.NewUploadServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
					uploadv1.RegisterUploadServiceServer(s, slowServer{wait: tt.wait})
				}))
				start := time.Now()
				_, err = upload(t.Context(), client, &uploadv1.FileInfo{Name: "f"}, file)
				if tt.reason == "" {
					require.NoError(t, err)
					require.Greater(t, time.Since(start), *idle)
				} else {
					require.EqualError(t, err, tt.reason)
					require.Equal(t, *idle, time.Since(start))
				}
			})
		})
	}
}
