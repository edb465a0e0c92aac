package defercancel

import (
	"context"
	"errors"
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

func TestSurvival_OfFixedOpen(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed:  pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.NotApplicable("FixedOpen does not read the stream"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := read(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), request)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := read(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), request)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := read(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), request)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			_, err := read(pitfalltest.Canceled(ctx), client, request)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			limited, cancel := context.WithTimeout(ctx, 700*time.Millisecond)
			defer cancel()
			values, err := read(limited, client, request)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1}, values)

			_, err = FixedOpen(ctx, client, request, 0)
			require.ErrorContains(t, err, "opening took longer than 0s")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking)
			time.AfterFunc(700*time.Millisecond, func() { network.Conn().Drop() })
			values, err := read(ctx, client, request)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1}, values)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking,
				grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
			network.Refuse(100)
			start := time.Now()
			_, err := FixedOpen(ctx, client, request, time.Minute)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, time.Minute, time.Since(start))

			client = pitfalltest.Dial(t, ticking, grpc.WithStreamInterceptor(refuse))
			_, err = FixedOpen(ctx, client, request, time.Minute)
			require.EqualError(t, err, "refused by an interceptor of the client")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			pitfalltest.InARow(func(int) {
				_, err := read(ctx, client, request)
				require.NoError(t, err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := read(ctx, client, request)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

func refuse(
	context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, grpc.Streamer, ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return nil, errors.New("refused by an interceptor of the client")
}

// read opens a stream within a minute and reads it to the end.
func read(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) ([]int64, error) {
	stream, err := FixedOpen(ctx, c, req, time.Minute)
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}
