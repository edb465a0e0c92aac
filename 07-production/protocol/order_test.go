package protocol

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestOrder_OneDirectionIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const items = 1000
		client := dial(t, stub{OnWork: func(stream workStream) error {
			for range items {
				req, err := stream.Recv()
				if err != nil {
					return err
				}
				if err := stream.Send(output(req.GetItem(), "")); err != nil {
					return err
				}
			}
			return nil
		}})
		stream, err := client.Work(t.Context())
		require.NoError(t, err)
		for i := range items {
			require.NoError(t, send(stream, i+1, ""))
		}
		for i := range items {
			resp, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, uint64(i+1), resp.GetItem())
		}
		require.NoError(t, drain(stream))
	})
}

func TestOrder_TwoDirectionsCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 4)
		client := dial(t, stub{OnWork: func(stream workStream) error {
			if err := stream.Send(output(1, "")); err != nil {
				return err
			}
			events <- "server sends"
			time.Sleep(3 * time.Second)
			_, err := stream.Recv()
			events <- "server receives"
			return err
		}})
		stream, err := client.Work(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.NoError(t, send(stream, 1, ""))
		events <- "client sends"
		time.Sleep(time.Second)
		_, err = stream.Recv()
		require.NoError(t, err)
		events <- "client receives"
		require.NoError(t, drain(stream))
		for _, want := range []string{"server sends", "client sends", "client receives", "server receives"} {
			require.Equal(t, want, <-events)
		}
	})
}

// late delays the handler of the first stream.
func late(d time.Duration) grpc.StreamServerInterceptor {
	var later atomic.Bool
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if !later.Swap(true) {
			time.Sleep(d)
		}
		return next(srv, stream)
	}
}

func TestOrder_TwoStreamsAreNotOrdered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, register(&Server{Root: newRoot(t)}),
			grpc.ChainStreamInterceptor(late(time.Second)))
		client := jobsv1.NewJobServiceClient(server.Dial(t))

		first := upload(t, client, "file", 0, "abc")
		require.Equal(t, int64(0), committed(t, client, "file"), "the question overtakes the bytes")
		time.Sleep(2 * time.Second) // now the bytes are there
		second := upload(t, client, "file", 0, "abc")
		_, err := second.CloseAndRecv()
		requireStatus(t, err, codes.Aborted, "offset: must be 3, got 0")

		_, err = first.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, int64(3), committed(t, client, "file"))
	})
}
