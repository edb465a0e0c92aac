package handlerreturnseof

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_EchoEndsWithUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := sendThree(t, &service.Server{OnEcho: BrokenEcho})

		require.EqualError(t, err, "rpc error: code = Unknown desc = EOF")
		require.NotErrorIs(t, err, io.EOF)
		require.Equal(t, []int64{1, 2, 3}, got, "all answers arrive")
	})
}

func TestFixed_EchoEndsWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := sendThree(t, &service.Server{OnEcho: FixedEcho})

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

// sendThree sends three numbers and returns the answers.
func sendThree(t *testing.T, server *service.Server) ([]int64, error) {
	stream, err := pitfalltest.Dial(t, server).Echo(t.Context())
	require.NoError(t, err)
	for i := range int64(3) {
		require.NoError(t, stream.Send(&pitfallsv1.Number{Value: i + 1}))
	}
	require.NoError(t, stream.CloseSend())
	return service.Values(stream)
}
