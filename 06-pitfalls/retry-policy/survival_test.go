package retrypolicy

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedCount(t *testing.T) {
	invalid := status.Error(codes.InvalidArgument, "to: must be at least 0, got -1")
	pitfalltest.Survival{
		InputIsClosed:  pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.NotApplicable("the request says how many numbers there are"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, attempts := sends(t, ends{2, errRestart}, ends{1, nil})
			got, err := FixedCount(ctx, client, 3)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2}, got)
			require.Equal(t, 2, *attempts)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, attempts := sends(t, ends{2, errRestart}, ends{1, errRestart}, ends{3, errRestart}, ends{4, nil})
			start := time.Now()
			got, err := FixedCount(ctx, client, 4)
			require.EqualError(t, err, errRestart.Error())
			require.Equal(t, []int64{1, 2, 3}, got)
			require.Equal(t, 3, *attempts)
			require.Equal(t, 300*time.Millisecond, time.Since(start))

			client, attempts = sends(t, ends{2, errRestart}, ends{3, invalid}, ends{4, nil})
			got, err = FixedCount(ctx, client, 4)
			require.EqualError(t, err, invalid.Error())
			require.Equal(t, []int64{1, 2, 3}, got)
			require.Equal(t, 2, *attempts)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), 3)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			// Before the call, in the first pause, in the second pause.
			for limit, want := range map[time.Duration][]int64{
				0: nil, 50 * time.Millisecond: {1, 2}, 250 * time.Millisecond: {1, 2},
			} {
				client, _ := sends(t, ends{2, errRestart}, ends{2, errRestart}, ends{3, nil})
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					got, err := FixedCount(ctx, client, 3)
					require.Equal(t, want, got)
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, slow)
			time.AfterFunc(1500*time.Millisecond, func() { network.Conn().Drop() })
			got, err := FixedCount(ctx, client, 3)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, got)
		}),
		// The server is away at the start, and again during the stream.
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, slow)
			network.Refuse(1) // the next connect is about a second later
			time.AfterFunc(2500*time.Millisecond, func() { network.Refuse(3) })
			got, err := FixedCount(ctx, client, 3)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, got)
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, slow)
			pitfalltest.InARow(func(int) {
				got, err := FixedCount(ctx, client, 3)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, slow)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedCount(ctx, client, 3)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// ends says how many numbers a stream has, and how it ends.
type ends struct {
	numbers int64
	err     error
}

// sends returns a client of a server with these streams, and how many streams
// it has opened.
func sends(t *testing.T, streams ...ends) (c pitfallsv1.PitfallServiceClient, attempts *int) {
	attempts = new(int)
	return pitfalltest.Dial(t, &service.Server{OnCount: func(
		_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	) error {
		s := streams[*attempts]
		*attempts++
		for i := range s.numbers {
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				return err
			}
		}
		return s.err
	}}), attempts
}

// slow sends a number per second.
var slow = &service.Server{OnCount: func(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := range req.GetTo() {
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	return nil
}}
