package recvaftererror

import (
	"bytes"
	"errors"
	"fmt"
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

const tooLarge = "rpc error: code = ResourceExhausted desc = " +
	"grpc: received message larger than max (5242887 vs. 4194304)"

// When Recv fails, the client holds at least 64 KiB of the large message, which
// is more than 13,000 times 5 bytes. The first three errors are about lengths:
// the length of the large message, and two that are read from the first bytes
// of its content. When nothing is left, Recv returns the first error again.
func TestBroken_HandlesThousandsThatNobodySent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: secondIsLarge})

		start := time.Now()
		r, err := run(t.Context(), client, BrokenCount)

		require.Equal(t, 100*time.Millisecond, time.Since(start), "the handling of the first number; no Recv waits")
		require.Equal(t, []int64{1}, r.sent, "the third number is lost too")
		require.Greater(t, r.strange, 13_000)
		require.Len(t, r.errs, maxErrors)
		require.EqualError(t, r.errs[0], tooLarge)
		for _, got := range r.errs[1:3] {
			require.ErrorContains(t, got, "received message larger than max")
			require.NotEqual(t, tooLarge, got.Error())
		}
		for _, got := range r.errs[3:] {
			require.EqualError(t, got, tooLarge)
		}
		require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

// Recv takes parts of the padding for a length and for a message.
func TestBroken_TakesPaddingForAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		padding := bytes.Repeat([]byte{0, 0, 0, 1}, 2<<20)
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
				return stream.Send(&pitfallsv1.Number{Padding: padding})
			},
		})

		r, _ := run(t.Context(), client, BrokenCount)

		require.Regexp(t, "rpc error: code = Internal desc = grpc: failed to unmarshal the received message: "+
			"proto:.cannot parse invalid wire-format data", fmt.Sprint(r.errs))
	})
}

func TestFixed_HandlesWhatWasSentAndReturnsTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: secondIsLarge})

		r, err := run(t.Context(), client, FixedCount)

		require.Equal(t, []int64{1}, r.sent)
		require.Zero(t, r.strange)
		require.Equal(t, []error{err}, r.errs)
		require.EqualError(t, err, tooLarge)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

// No virtual time passes, because nothing in the loop waits.
func TestBroken_GetsTheStatusAgainWithoutAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: notFound})
		start := time.Now()

		r, err := run(t.Context(), client, BrokenCount)

		require.Zero(t, time.Since(start))
		require.Len(t, r.errs, maxErrors)
		for _, got := range r.errs {
			require.EqualError(t, got, "rpc error: code = NotFound desc = no such count")
		}
		require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")
	})
}

func TestFixed_ReturnsTheStatusOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: notFound})

		r, err := run(t.Context(), client, FixedCount)

		require.Equal(t, []error{err}, r.errs)
		require.EqualError(t, err, "rpc error: code = NotFound desc = no such count")
	})
}

func notFound(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return status.Error(codes.NotFound, "no such count")
}

// The third message has arrived, and Recv returns it after the error. The stream
// then ends with OK.
func TestRecv_ContinuesAfterAnUndecodableMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		undecodable := &pitfallsv1.Number{}
		undecodable.ProtoReflect().SetUnknown([]byte{0x08}) // a tag without its value
		client := pitfalltest.Dial(t, &service.Server{OnCount: func(
			_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
		) error {
			return errors.Join(stream.Send(&pitfallsv1.Number{Value: 1}), stream.Send(undecodable),
				stream.Send(&pitfallsv1.Number{Value: 3}))
		}})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		synctest.Wait()

		got, err := service.Values(stream)
		require.Equal(t, []int64{1}, got)
		require.Equal(t, codes.Internal, status.Code(err), "got %v", err)
		got, err = service.Values(stream)
		require.NoError(t, err)
		require.Equal(t, []int64{3}, got)
	})
}
