package sendeof

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const refusal = "rpc error: code = InvalidArgument desc = value: must be at least 0, got -2"

func TestBroken_ReturnsEOFAndLosesTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := BrokenSum(t.Context(), pitfalltest.Dial(t, refusing), slowly(1, -2, 3))

		require.EqualError(t, err, "send 3: EOF")
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, codes.Unknown, status.Code(err))
	})
}

func TestFixed_ReturnsTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := FixedSum(t.Context(), pitfalltest.Dial(t, refusing), slowly(1, -2, 3))

		require.EqualError(t, err, refusal)
		require.Equal(t, 300*time.Millisecond, time.Since(start), "when the iterator yields the next value")
	})
}

func TestFixed_NoticesADeadlineAtTheNextValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := FixedSum(ctx, pitfalltest.Dial(t, refusing), slowly(1, 2, 3, 4))
		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
	})
}

func TestSend_ReturnsEOFAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, refusing).Sum(t.Context())
		require.NoError(t, err, "opening the stream does not return the refusal")
		require.NoError(t, stream.Send(&pitfallsv1.Number{Value: -2}))
		synctest.Wait()

		require.Equal(t, io.EOF, stream.Send(&pitfallsv1.Number{Value: 3}))
		require.Equal(t, io.EOF, stream.Send(&pitfallsv1.Number{Value: 4}), "a further Send")
		require.NoError(t, stream.CloseSend())
		_, err = stream.CloseAndRecv()
		require.EqualError(t, err, refusal)
	})
}

func TestBoth_FindARefusalAfterTheLastSend(t *testing.T) {
	for _, sum := range []sum{BrokenSum, FixedSum} {
		synctest.Test(t, func(t *testing.T) {
			_, err := sum(t.Context(), pitfalltest.Dial(t, refusing), slices.Values([]int64{-2}))
			require.EqualError(t, err, refusal)
		})
	}
}
