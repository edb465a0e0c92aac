package clientstream

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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

// RecvMsg waits for the receipt but, unlike CloseAndRecv, it does not
// half-close. So client and server wait for each other.
func TestRecvMsg_WaitsForeverWithoutHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		stream := open(t, t.Context(), dial(t, s), info("f"), chunk("whole"))
		receipt, answered := new(uploadv1.UploadReceipt), make(chan error, 1)
		go func() { answered <- stream.RecvMsg(receipt) }()

		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Empty(t, answered, "a receipt came without a half-close")
		require.Equal(t, int64(len("whole")), partialSize(t, s), "the handler still holds the file")

		require.NoError(t, stream.CloseSend())
		require.NoError(t, <-answered)
		require.Equal(t, int64(len("whole")), receipt.GetSize())
		require.Equal(t, "whole", read(t, s, "f"))
	})
}
