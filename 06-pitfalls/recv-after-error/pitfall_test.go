package recvaftererror

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const tooLarge = "grpc: received message larger than max (5242887 vs. 4194304)"

// A stream may send 64 KiB before its client reads: 13,000 times 5 bytes.
func TestBrokenCountHandlesThousandsOfNumbersThatNobodySent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: secondIsLarge})

		r, err := record(t.Context(), client, BrokenCount)

		require.Equal(t, []int64{1}, r.sent, "the third is lost too")
		require.Greater(t, r.strange, 13_000)
		require.Equal(t, tooLarge, status.Convert(r.errs[0]).Message())
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixedCountReturnsTheErrorAndHandlesWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: secondIsLarge})

		r, err := record(t.Context(), client, FixedCount)

		require.Equal(t, []int64{1}, r.sent)
		require.Zero(t, r.strange)
		require.Equal(t, []error{err}, r.errs)
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.Equal(t, tooLarge, status.Convert(err).Message())
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

// No virtual time passes: nothing in the loop waits.
func TestBrokenCountGetsAnyOtherErrorForEverAndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: notFound})
		start := time.Now()

		r, err := record(t.Context(), client, BrokenCount)

		require.Zero(t, time.Since(start))
		require.Len(t, r.errs, maxErrors)
		for _, got := range r.errs {
			require.Equal(t, "rpc error: code = NotFound desc = no such count", got.Error())
		}
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestFixedCountReturnsAnyOtherErrorOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: notFound})

		r, err := record(t.Context(), client, FixedCount)

		require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
		require.Equal(t, []error{err}, r.errs)
	})
}

// The first three errors come from lengths: the real one, and two of what
// begins the message. Zeros are no error. Then nothing is left.
func TestBrokenCountThenGetsTheErrorThatEndedTheStreamForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: secondIsLarge})

		r, _ := record(t.Context(), client, BrokenCount)

		require.Len(t, r.errs, maxErrors)
		for _, got := range r.errs[3:] {
			require.Equal(t, tooLarge, status.Convert(got).Message())
		}
	})
}

func notFound(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return status.Error(codes.NotFound, "no such count")
}
