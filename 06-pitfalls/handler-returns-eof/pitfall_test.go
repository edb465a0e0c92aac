package handlerreturnseof

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
)

func TestBroken_EchoEndsWithUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := pitfalltest.Echo(t.Context(), pitfalltest.Dial(t, &service.Server{OnEcho: BrokenEcho}), 1, 2, 3)

		require.EqualError(t, err, "rpc error: code = Unknown desc = EOF")
		require.NotErrorIs(t, err, io.EOF)
		require.Equal(t, []int64{1, 2, 3}, got, "all answers arrive")
	})
}

func TestFixed_EchoEndsWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := pitfalltest.Echo(t.Context(), pitfalltest.Dial(t, &service.Server{OnEcho: FixedEcho}), 1, 2, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}
