package toomanypings

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

// The calls use a connection with the options.
func TestSurvival_OfFixedDialOptions(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{},
				append(FixedDialOptions(), grpc.WithIdleTimeout(0))...)
			_, err := pitfalltest.Echo(ctx, client)
			require.NoError(t, err)
			conn := network.Conn()
			time.Sleep(24 * time.Hour)
			require.Same(t, conn, network.Conn(), "no ping is sent while no stream is open")
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 24*time.Hour)
			defer cancel()
			stream, err := pitfalltest.Dial(t, &service.Server{}, FixedDialOptions()...).Sum(ctx)
			require.NoError(t, err)
			for err == nil { // a number now and then resets no strike
				time.Sleep(7 * time.Minute)
				err = stream.Send(&pitfallsv1.Number{})
			}
			_, err = stream.CloseAndRecv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := pitfalltest.Echo(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil), FixedDialOptions()...), 1)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := pitfalltest.Echo(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable), FixedDialOptions()...), 1)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 24*time.Hour)
			defer cancel()
			start := time.Now()
			stream, err := pitfalltest.Dial(t, pitfalltest.Idle(), FixedDialOptions()...).Echo(ctx)
			require.NoError(t, err)
			for err == nil {
				err = stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)})
			}
			require.Equal(t, 24*time.Hour, time.Since(start))
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, 24*time.Hour, func(ctx context.Context) error {
				_, err := pitfalltest.Echo(ctx, pitfalltest.Dial(t, pitfalltest.Idle(), FixedDialOptions()...))
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle(), FixedDialOptions()...)
			_, err := pitfalltest.Echo(pitfalltest.Canceled(ctx), client)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := pitfalltest.Echo(ctx, client)
				return err
			})
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle(), FixedDialOptions()...)
			start := time.Now()
			time.AfterFunc(time.Minute, func() { network.Conn().HalfOpen() })
			_, err := pitfalltest.Echo(ctx, client)
			require.ErrorContains(t, err, "keepalive ping failed to receive ACK within timeout")
			require.LessOrEqual(t, time.Since(start), time.Minute+6*time.Minute+5*time.Second)
			time.Sleep(3 * time.Hour) // the server's own keepalive notices after 2 hours
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{}, FixedDialOptions()...)
			network.Refuse(1)
			_, err := pitfalltest.Echo(ctx, client)
			require.ErrorContains(t, err, "connection refused")
			time.Sleep(time.Minute)
			_, err = pitfalltest.Echo(ctx, client)
			require.NoError(t, err, "the server is back")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{}, FixedDialOptions()...)
			pitfalltest.InARow(func(int) {
				_, err := pitfalltest.Echo(ctx, client, 1)
				require.NoError(t, err)
				time.Sleep(7 * time.Minute)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{}, FixedDialOptions()...)
			for _, err := range pitfalltest.AtOnce(func(int) error { _, err := pitfalltest.Echo(ctx, client, 1); return err }) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}
