package handlerreturnseof

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_EchoEndsWithUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := echo(t.Context(), pitfalltest.Dial(t, &service.Server{OnEcho: BrokenEcho}), 1, 2, 3)

		require.Equal(t, codes.Unknown, status.Code(err))
		require.EqualError(t, err, "rpc error: code = Unknown desc = EOF")
		require.NotErrorIs(t, err, io.EOF)
		require.Equal(t, []int64{1, 2, 3}, got, "all answers arrive")
	})
}

func TestFixed_EchoEndsWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := echo(t.Context(), pitfalltest.Dial(t, &service.Server{OnEcho: FixedEcho}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

// echo sends the values and returns the answers.
func echo(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // Recv returns the status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return service.Values(stream)
}
