package sharedstate

import (
	"context"
	"fmt"
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

func TestSurvival_OfFixedAdder(t *testing.T) {
	adder := &service.Server{OnSum: new(FixedAdder).Sum}
	pitfalltest.Survival{
		PeerEndsWithOK:  pitfalltest.NotApplicable("a client cannot end an RPC with OK; its half-close closes the input"),
		PeerDoesNotRead: pitfalltest.NotApplicable("the response is smaller than the window"),
		ServerIsAway:    pitfalltest.NotApplicable("the code is the server"),
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			require.NoError(t, add(ctx, pitfalltest.Dial(t, adder)))
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, adder)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			for err == nil {
				time.Sleep(time.Second)
				err = stream.Send(&pitfallsv1.Number{Value: 1})
			}
			require.NoError(t, add(context.WithoutCancel(ctx), client, 1, 2), "another stream is not affected")
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			var ended error
			client := pitfalltest.Dial(t, &service.Server{
				OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
					ended = new(FixedAdder).Sum(stream)
					return ended
				},
			})
			canceled, cancel := context.WithCancel(ctx)
			stream, err := client.Sum(canceled)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 100}))
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			require.Equal(t, codes.Canceled, status.Code(ended), "got %v", ended)
			require.NoError(t, add(ctx, client, 1, 2), "nothing is left of the canceled stream")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, adder)
			idle, cancel := context.WithCancel(ctx)
			_, err := client.Sum(idle)
			require.NoError(t, err)
			time.Sleep(24 * time.Hour)
			require.NoError(t, add(ctx, client, 1, 2), "another stream does not wait")
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, adder)
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
			time.Sleep(time.Minute)
			_, err = stream.CloseAndRecv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, adder)
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 100}))
			pitfalltest.Cut(network)
			_, err = stream.CloseAndRecv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			time.Sleep(time.Minute)
			require.NoError(t, add(ctx, client, 1, 2), "nothing is left of the stream that was cut")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, adder)
			pitfalltest.InARow(func(i int) { require.NoError(t, add(ctx, client, int64(i), 1)) })
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, adder)
			for _, err := range pitfalltest.AtOnce(func(i int) error {
				return add(ctx, client, int64(i), 1, 2, 3)
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// add sends the values, and returns an error if the response is not their sum
// and their number.
func add(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	var sum int64
	for _, v := range values {
		sum += v
		_ = stream.Send(&pitfallsv1.Number{Value: v}) // CloseAndRecv returns the status
	}
	got, err := stream.CloseAndRecv()
	if err == nil && (got.GetSum() != sum || got.GetCount() != int64(len(values))) {
		err = fmt.Errorf("the response is %v, want the sum of %v", got, values)
	}
	return err
}
