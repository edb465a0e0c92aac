package receivelimit

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

func TestSurvival_OfFixedUpload(t *testing.T) {
	data := make([]byte, 5<<20)
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := FixedUpload(ctx, pitfalltest.Dial(t, store()), nil)
			require.NoError(t, err)
			require.Zero(t, got)
		}),
		InputNeverEnds: pitfalltest.NotApplicable("a slice has an end; chapter 03 uploads what a reader returns"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := FixedUpload(ctx, pitfalltest.Dial(t, full), data)
			require.NoError(t, err)
			require.EqualValues(t, 7, got)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refused := status.Error(codes.PermissionDenied, "quota: must not be exceeded")
			client := pitfalltest.Dial(t, pitfalltest.Ends(refused), pitfalltest.SlowSend())
			start := time.Now()
			got, err := FixedUpload(ctx, client, data)
			require.EqualError(t, err, refused.Error())
			require.Equal(t, 2*time.Second, time.Since(start), "the second Send fails, and is the last one")
			require.Zero(t, got)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			endsAt(t, ctx, time.Hour, pitfalltest.Idle(), data)
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			endsAt(t, ctx, time.Hour, pitfalltest.Idle(), data[:10])
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			endsAt(t, ctx, 0, store(), data)
			endsAt(t, ctx, time.Nanosecond, pitfalltest.Idle(), data)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, err := FixedUpload(ctx, client, data)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, store())
			network.Refuse(1)
			_, err := FixedUpload(ctx, client, data)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, store())
			pitfalltest.InARow(func(int) {
				got, err := FixedUpload(ctx, client, data[:100_000])
				require.NoError(t, err)
				require.EqualValues(t, 100_000, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, store())
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedUpload(ctx, client, data[:100_000])
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// The client refuses to send a message that is larger than its own limit.
func TestBoth_ReturnTheErrorOfTheirOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, store(), grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1)))
		_, err := FixedUpload(t.Context(), client, make([]byte, 100))
		require.ErrorContains(t, err, "trying to send message larger than max")
		_, err = BrokenUpload(t.Context(), client, make([]byte, 100))
		require.ErrorContains(t, err, "trying to send message larger than max")
	})
}

// endsAt requires that an upload ends when its context does, after limit.
func endsAt(t *testing.T, ctx context.Context, limit time.Duration, s *service.Server, data []byte) {
	t.Helper()
	pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
		_, err := FixedUpload(ctx, pitfalltest.Dial(t, s), data)
		return err
	})
}

// full has received 7 bytes when the first chunk arrives, and needs no more.
var full = &service.Server{OnSum: func(
	stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.SendAndClose(&pitfallsv1.SumResponse{Sum: 7})
}}
