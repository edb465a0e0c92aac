package headerblocks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_EchoStillWaitsForTheHeaderAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, nodeA())
		call := pitfalltest.Go(func() error {
			_, _, err := BrokenEcho(t.Context(), client, 1)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")
	})
}

func TestFixed_EchoReturnsTheNodeAndTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, nodeA())

		name, got, err := FixedEcho(pitfalltest.WithTimeout(t, time.Minute), client, 1)

		require.NoError(t, err)
		require.Equal(t, "a", name)
		require.Equal(t, []int64{1}, got)
	})
}

func TestBroken_NodeTakesARefusalForAnEmptyName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name, err := BrokenNode(t.Context(), pitfalltest.Dial(t, nodeA()), &pitfallsv1.CountRequest{To: 13})
		require.NoError(t, err)
		require.Empty(t, name)
	})
}

func TestFixed_NodeReturnsTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name, err := FixedNode(t.Context(), pitfalltest.Dial(t, nodeA()), &pitfallsv1.CountRequest{To: 13})
		require.EqualError(t, err, "rpc error: code = PermissionDenied desc = to: must not be 13")
		require.Empty(t, name)
	})
}

func TestBoth_FindTheHeaderOfAnAcceptedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, nodeA())
		broken, err := BrokenNode(t.Context(), client, &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		fixed, err := FixedNode(t.Context(), client, &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		require.Equal(t, []string{"a", "a"}, []string{broken, fixed})
	})
}

func TestHeader_DoesNotWaitAfterSendHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var plain service.Server
		client := pitfalltest.Dial(t, &service.Server{
			OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
				if err := stream.SendHeader(header); err != nil {
					return err
				}
				return plain.Echo(stream)
			},
		})
		name, got, err := BrokenEcho(t.Context(), client, 1)
		require.NoError(t, err)
		require.Equal(t, "a", name)
		require.Equal(t, []int64{1}, got)
	})
}

func TestHeader_ReturnsNilAndNoErrorAfterACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := pitfalltest.Dial(t, nodeA()).Echo(ctx)
		require.NoError(t, err)
		time.AfterFunc(time.Minute, cancel)

		start := time.Now()
		header, err := stream.Header()

		require.NoError(t, err)
		require.Nil(t, header)
		require.Equal(t, time.Minute, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Canceled, status.Code(err))
	})
}

// The metadata of SetHeader is sent in a HEADERS frame before the trailers.
func TestHeader_ComesBeforeARefusalAfterSetHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, nodeA()).Count(t.Context(), &pitfallsv1.CountRequest{To: -1})
		require.NoError(t, err)
		header, err := stream.Header()
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, header.Get("node"))
		_, err = stream.Recv()
		require.Equal(t, codes.InvalidArgument, status.Code(err))
	})
}

var header = metadata.Pairs("node", "a")

// nodeA returns a server that sets the header. It refuses to count to 13.
func nodeA() *service.Server {
	var plain service.Server
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			if req.GetTo() == 13 {
				return status.Error(codes.PermissionDenied, "to: must not be 13")
			}
			if err := stream.SetHeader(header); err != nil {
				return err
			}
			return plain.Count(req, stream)
		},
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			if err := stream.SetHeader(header); err != nil {
				return err
			}
			return plain.Echo(stream)
		},
	}
}
