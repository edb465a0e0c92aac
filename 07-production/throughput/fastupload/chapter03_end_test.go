// Code generated from 03-client-stream/end_test.go; DO NOT EDIT.

package fastupload

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

func TestUpload_CancelLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Upload(ctx, dial(t, s), named("f"), inTheMiddle(t, s, cancel), nil)
		requireCode(t, codes.Canceled, err)
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}

func TestUpload_ServerStopLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := memservertest.Serve(t, register(s))
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		_, err := Upload(t.Context(), client, named("f"), inTheMiddle(t, s, server.Stop), nil)
		requireCode(t, codes.Unavailable, err)
		require.Empty(t, names(t, s))
	})
}

func TestUpload_ClosedConnectionLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		returned := make(chan error, 1)
		server := memservertest.Serve(t, register(stub{OnUpload: func(stream serverStream) error {
			err := s.Upload(stream)
			returned <- err
			return err
		}}))
		network := faultnet.New(server.DialContext)
		client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithContextDialer(network.DialContext)))
		r := inTheMiddle(t, s, func() { network.Conn().Drop() })
		_, err := Upload(t.Context(), client, named("f"), r, nil)
		requireCode(t, codes.Unavailable, err)
		requireCode(t, codes.Canceled, <-returned)
		require.Empty(t, names(t, s))
	})
}

// The server has all of the file when the connection is lost, and the client
// cannot know whether it is stored.
func TestUpload_ConnectionLostBeforeReceiptIsADoubt(t *testing.T) {
	for name, upload := range map[string]func(context.Context, uploadv1.UploadServiceClient) error{
		"Upload": func(ctx context.Context, client uploadv1.UploadServiceClient) error {
			_, err := Upload(ctx, client, named("f"), generated(1), nil)
			require.ErrorIs(t, err, ErrNoReceipt)
			return err
		},
		"UploadChunks": func(ctx context.Context, client uploadv1.UploadServiceClient) error {
			chunks := make(chan []byte, 1)
			chunks <- []byte("x")
			close(chunks)
			_, err := UploadChunks(ctx, client, named("f"), chunks)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				var network *faultnet.Network
				server := memservertest.Serve(t, register(stub{OnUpload: func(stream serverStream) error {
					err := s.Upload(stream)
					network.Conn().Drop()
					return err
				}}))
				network = faultnet.New(server.DialContext)
				client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithContextDialer(network.DialContext)))
				requireCode(t, codes.Unavailable, upload(t.Context(), client))
				require.Equal(t, []string{"f"}, names(t, s))
			})
		})
	}
}

// The server does not tell an upload to finish: the upload ends by itself,
// or the drain cancels it.
func TestUpload_DrainWaitsForUploads(t *testing.T) {
	for _, tt := range []struct {
		name  string
		needs time.Duration
		code  codes.Code
		left  []string
	}{
		{"an upload that ends in time is stored", 4 * time.Second, codes.OK, []string{"f"}},
		{"an upload that takes longer is canceled", 6 * time.Second, codes.Unavailable, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, server := newServer(t), serve.New(grpc.MaxRecvMsgSize(4<<20))
				register(s)(server)
				server.Drain = 5 * time.Second
				running := servetest.Start(t, server)
				client := uploadv1.NewUploadServiceClient(running.Dial(t))
				reads := 0
				r := paced{generated(2 * ChunkSize), func() {
					if reads++; reads == 2 {
						synctest.Wait()
						running.Signal()
						time.Sleep(tt.needs)
					}
				}}
				_, err := Upload(t.Context(), client, named("f"), r, nil)
				requireCode(t, tt.code, err)
				require.NoError(t, running.Wait())
				require.Equal(t, tt.left, names(t, s))
			})
		})
	}
}
