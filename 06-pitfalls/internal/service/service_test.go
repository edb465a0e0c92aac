package service_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestCount_RefusesValuesOutOfRange(t *testing.T) {
	for says, req := range map[string]*pitfallsv1.CountRequest{
		"to: must be at least 0, got -1":                   {To: -1},
		"padding: must be 0 to 5242880 bytes, got -1":      {Padding: -1},
		"padding: must be 0 to 5242880 bytes, got 5242881": {Padding: service.MaxPadding + 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			stream, err := pitfalltest.Dial(t, &service.Server{}).Count(t.Context(), req)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.EqualError(t, err, "rpc error: code = InvalidArgument desc = "+says)
		})
	}
}

func TestCount_LimitsThePaddingOfAStubToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stub := &service.Server{OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return stream.Send(&pitfallsv1.Number{Padding: make([]byte, req.GetPadding())})
		}}
		stream, err := pitfalltest.Dial(t, stub).Count(t.Context(), &pitfallsv1.CountRequest{Padding: 1 << 30})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorContains(t, err, "padding: must be 0 to 5242880 bytes, got 1073741824")
	})
}

func TestCount_SendsPaddedNumbersAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{To: 3, Padding: 10})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.Len(t, first.GetPadding(), 10)
		rest, err := service.Values(stream)
		require.NoError(t, err)
		require.Equal(t, []int64{2, 3}, rest)
	})
}

func TestSum_AddsUpAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := pitfalltest.Sum(t, pitfalltest.Dial(t, &service.Server{}), 1, -5, 6)
		require.NoError(t, err)
		require.Equal(t, int64(2), response.GetSum())
		require.Equal(t, int64(3), response.GetCount())
	})
}

func TestPing_CountsOpenStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		stream, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 7}))
		echo, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, int64(7), echo.GetValue())
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		require.NoError(t, stream.CloseSend())
		rest, err := service.Values(stream)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}
