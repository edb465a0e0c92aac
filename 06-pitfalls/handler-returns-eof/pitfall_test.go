package handlerreturnseof

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/service"
)

func TestBrokenEchoEndsWithUnknownAfterAllAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := echo(t.Context(), lab.Dial(t, &service.Server{OnEcho: BrokenEcho}), 1, 2, 3)

		require.Equal(t, codes.Unknown, status.Code(err))
		require.Equal(t, "EOF", status.Convert(err).Message())
		require.NotErrorIs(t, err, io.EOF)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

func TestFixedEchoEndsWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := echo(t.Context(), lab.Dial(t, &service.Server{OnEcho: FixedEcho}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}
