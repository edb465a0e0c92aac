package clientstream

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet"
)

// Send returns once gRPC has the message. The handler has not even begun.
func TestSendIsNotDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		received, client := counting(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		stream := open(t, ctx, client, info("f"))
		for range 99 {
			require.NoError(t, stream.Send(chunk("x")))
		}
		cancel()
		synctest.Wait()
		time.Sleep(time.Minute)
		require.Less(t, received.Load(), int64(100), "messages that arrived, of 100 that were sent")
		require.Empty(t, names(t, s))
	})
}

func TestCloseAndRecvIsDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		received, client := counting(t, s)
		stream := open(t, t.Context(), client, info("f"))
		for range 99 {
			require.NoError(t, stream.Send(chunk("x")))
		}
		receipt, err := stream.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, int64(99), receipt.GetSize())
		require.Equal(t, int64(100), received.Load())
		require.Len(t, read(t, s, "f"), 99)
	})
}

// counting returns a client of s whose handlers begin after a second, and
// the number of messages that they have received.
func counting(t *testing.T, s *UploadServer) (*atomic.Int64, uploadv1.UploadServiceClient) {
	t.Helper()
	received := new(atomic.Int64)
	count := grpc.StreamInterceptor(func(
		srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		time.Sleep(time.Second)
		return handler(srv, countingStream{ss, received})
	})
	server := bufnet.Serve(t, register(s), count)
	return received, uploadv1.NewUploadServiceClient(server.Dial(t))
}

type countingStream struct {
	grpc.ServerStream
	received *atomic.Int64
}

func (s countingStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.received.Add(1)
	}
	return err
}

// RecvMsg waits for the receipt, but does not half-close as CloseAndRecv
// does. So each side waits for the other.
func TestWithoutAHalfCloseBothSidesWaitForever(t *testing.T) {
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

// A stats handler, like a tracing library, may look at a message after
// Send has returned. Had the chunks shared a buffer, all would look alike.
func TestAMessageIsNotChangedAfterSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(observer)
		server := bufnet.Serve(t, register(newServer(t)))
		client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithStatsHandler(seen)))
		_, err := Upload(t.Context(), client, named("f"), generated(2*ChunkSize), nil)
		require.NoError(t, err)
		require.Len(t, seen.chunks, 2)
		require.NotEqual(t, seen.chunks[0][:16], seen.chunks[1][:16])
	})
}

// An observer keeps the chunks that it sees.
type observer struct{ chunks [][]byte }

func (o *observer) HandleRPC(_ context.Context, s stats.RPCStats) {
	if out, ok := s.(*stats.OutPayload); ok {
		if chunk := out.Payload.(*uploadv1.UploadRequest).GetChunk(); chunk != nil {
			o.chunks = append(o.chunks, chunk)
		}
	}
}

func (o *observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (o *observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (o *observer) HandleConn(context.Context, stats.ConnStats)                       {}
