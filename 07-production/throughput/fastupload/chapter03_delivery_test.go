// Code generated from 03-client-stream/delivery_test.go; DO NOT EDIT.

package fastupload

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// Send returns when gRPC has the message. The handler has not received any
// message yet.
func TestSend_IsNotDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := new(atomic.Int64)
		late := stub{OnUpload: func(stream serverStream) error {
			time.Sleep(time.Second)
			for {
				if _, err := stream.Recv(); err != nil {
					return err
				}
				received.Add(1)
			}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		stream := open(t, ctx, dial(t, late))
		for range 100 {
			require.NoError(t, stream.Send(chunk("x")))
		}
		cancel()
		time.Sleep(time.Minute)
		require.Less(t, received.Load(), int64(100), "messages received, of 100 sent")
	})
}

func TestCloseAndRecv_IsDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		late := stub{OnUpload: func(stream serverStream) error {
			time.Sleep(time.Second)
			return s.Upload(stream)
		}}
		stream := open(t, t.Context(), dial(t, late), info("f"))
		for range 100 {
			require.NoError(t, stream.Send(chunk("x")))
		}
		receipt, err := stream.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, int64(100), receipt.GetSize())
		require.Len(t, read(t, s, "f"), 100)
	})
}

func TestRecv_ErrorComesWithANilMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := make(chan *uploadv1.UploadRequest, 1)
		client := dial(t, stub{OnUpload: func(stream serverStream) error {
			req, err := stream.Recv()
			last <- req
			return err
		}})
		_, err := open(t, t.Context(), client).CloseAndRecv()
		require.ErrorContains(t, err, "EOF")
		req := <-last
		require.Nil(t, req)
		require.Empty(t, req.GetChunk())
		require.Panics(t, func() { _ = req.Content })
	})
}

// RecvMsg waits for the receipt but, unlike CloseAndRecv, it does not
// half-close. So client and server wait for each other, until the server
// ends the call.
func TestRecvMsg_WaitsInVainWithoutHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		stream := open(t, t.Context(), dial(t, s), info("f"), chunk("whole"))
		start := time.Now()
		err := stream.RecvMsg(new(uploadv1.UploadReceipt))
		requireCode(t, codes.DeadlineExceeded, err)
		require.ErrorContains(t, err, "chunk or half-close: must arrive within 1m0s")
		require.Equal(t, time.Minute, time.Since(start))
		synctest.Wait()
		require.Empty(t, names(t, s), "no half-close, so the file is not complete")
	})
}
