package recvaftererror

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
	const canceled = "rpc error: code = Canceled desc = context canceled"
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		// The stream has more numbers than were asked for.
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(59_950*time.Millisecond, cancel)
			got, warnings, err := numbers(ctx, pitfalltest.Dial(t, endless))
			require.EqualError(t, err, canceled)
			require.Empty(t, warnings, "the cancel came during handle")
			require.Len(t, got, 600)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, warnings, err := numbers(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)))
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, []int64{1}, got)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			unavailable := status.Error(codes.Unavailable, "restarting")
			got, warnings, err := numbers(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)))
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []error{err}, warnings)
			require.Equal(t, []int64{1}, got)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Hour, cancel)
			start := time.Now()
			_, warnings, err := numbers(ctx, pitfalltest.Dial(t, pitfalltest.Idle()))
			require.EqualError(t, err, canceled)
			require.Equal(t, []error{err}, warnings)
			require.Equal(t, time.Hour, time.Since(start))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			// Before the call, in Recv, in handle.
			for limit, client := range map[time.Duration]pitfallsv1.PitfallServiceClient{
				0: pitfalltest.Dial(t, endless), time.Second: pitfalltest.Dial(t, pitfalltest.Idle()),
			} {
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, _, err := numbers(ctx, client)
					return err
				})
			}
			ctx, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
			defer cancel()
			got, warnings, err := numbers(ctx, pitfalltest.Dial(t, endless))
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Empty(t, warnings)
			require.Len(t, got, 2)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, warnings, err := numbers(ctx, client)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
			require.Equal(t, []error{err}, warnings)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, _, err := numbers(ctx, client)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			pitfalltest.InARow(func(int) {
				got, _, err := numbers(ctx, client)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, _, err := numbers(ctx, client)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// numbers returns the arguments of handle, which takes 100 ms, and those of warn.
func numbers(ctx context.Context, c pitfallsv1.PitfallServiceClient) (got []int64, warnings []error, err error) {
	handle := func(n int64) {
		got = append(got, n)
		time.Sleep(100 * time.Millisecond)
	}
	err = FixedCount(ctx, c, handle, func(err error) { warnings = append(warnings, err) })
	return got, warnings, err
}

var endless = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for {
		if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil {
			return err
		}
	}
}}
