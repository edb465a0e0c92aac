package concurrentsend

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedSum(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	sum := new(service.Server)
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			response, err := FixedSum(ctx, pitfalltest.Dial(t, sum))
			require.NoError(t, err, "without sources")
			require.Zero(t, response.GetCount())
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sum)
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedSum(ctx, client, ticks(ctx), three)
				return err
			})
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			response, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), endless, endless)
			require.NoError(t, err)
			require.EqualValues(t, 1, response.GetCount())
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), endless, endless)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedSum(ctx, client, endless, endless)
				return err
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedSum(ctx, client, three)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sum)
			_, err := FixedSum(pitfalltest.Canceled(ctx), client, endless)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			pitfalltest.EndsAt(t, ctx, 2500*time.Millisecond, func(ctx context.Context) error {
				_, err := FixedSum(ctx, client, ticks(ctx), ticks(ctx))
				return err
			})
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, sum)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			time.AfterFunc(2500*time.Millisecond, func() { network.Conn().Drop() })
			start := time.Now()
			_, err := FixedSum(ctx, client, ticks(ctx), ticks(ctx))
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, 3*time.Second, time.Since(start), "at the next Send")
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, sum)
			network.Refuse(1)
			_, err := FixedSum(ctx, client, endless)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sum)
			pitfalltest.InARow(func(int) {
				response, err := FixedSum(ctx, client, three, three)
				require.NoError(t, err)
				require.EqualValues(t, 6, response.GetCount())
				require.EqualValues(t, 12, response.GetSum())
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sum)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedSum(ctx, client, three, three)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

func TestSurvival_OfFixedCount(t *testing.T) {
	server := &service.Server{OnCount: FixedCount}
	large := &pitfallsv1.CountRequest{To: 1000, Padding: 10 << 10}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			stream, err := client.Count(ctx, &pitfallsv1.CountRequest{To: 1 << 62, Padding: 10 << 10})
			require.NoError(t, err)
			for err == nil {
				_, err = stream.Recv()
				time.Sleep(10 * time.Millisecond)
			}
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithCancel(ctx)
			stream, err := client.Count(ctx, large)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithCancel(ctx)
			stream, err := client.Count(ctx, large)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			values, err := service.Values(stream)
			require.NoError(t, err, "when the client reads at last")
			require.Len(t, numbers(values), 1000)
			cancel()
		}),
		PeerDoesNotSend: pitfalltest.NotApplicable("the client sends only its request"),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := client.Count(ctx, large)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, server)
			stream, err := client.Count(ctx, large)
			require.NoError(t, err)
			pitfalltest.Cut(network)
			_, err = service.Values(stream)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			pitfalltest.InARow(func(int) {
				values, err := pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 3})
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 10, Padding: 10 << 10})
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// endless is a source that never ends and never waits.
func endless(yield func(*pitfallsv1.Number) bool) {
	for yield(&pitfallsv1.Number{Value: 1}) {
	}
}

// three is a source of three numbers.
func three(yield func(*pitfallsv1.Number) bool) {
	for i := int64(1); i <= 3 && yield(&pitfallsv1.Number{Value: i}); i++ {
	}
}

// ticks returns a source of a number each second, which ends with ctx.
func ticks(ctx context.Context) iter.Seq[*pitfallsv1.Number] {
	return func(yield func(*pitfallsv1.Number) bool) {
		for {
			select {
			case <-time.After(time.Second):
				if !yield(&pitfallsv1.Number{Value: 1}) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// numbers returns the values that are not heartbeats.
func numbers(values []int64) []int64 {
	return slices.DeleteFunc(values, func(v int64) bool { return v == 0 })
}
