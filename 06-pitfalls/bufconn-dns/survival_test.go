package bufconndns

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
)

func TestSurvival_OfFixedDial(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	three, endless := &pitfallsv1.CountRequest{To: 3}, &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed:  pitfalltest.NotApplicable("the dialer is the only input"),
		InputNeverEnds: pitfalltest.NotApplicable("the dialer is the only input"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Serve(t, pitfalltest.Ends(nil))
			values, err := count(ctx, server.DialContext, endless)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Serve(t, pitfalltest.Ends(unavailable))
			_, err := count(ctx, server.DialContext, endless)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			start := time.Now()
			// Nobody reads what the client writes.
			_, err := count(ctx, func(context.Context, string) (net.Conn, error) {
				client, _ := net.Pipe()
				return client, nil
			}, endless)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, 20*time.Second, time.Since(start), "the limit for a connect")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Serve(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := count(ctx, server.DialContext, endless)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			waits := func(ctx context.Context, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			for _, limit := range []time.Duration{0, time.Second} {
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := count(ctx, waits, endless)
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			network := faultnet.New(pitfalltest.Serve(t, pitfalltest.Idle()).DialContext)
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			start := time.Now()
			_, err := count(ctx, network.DialContext, endless)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, time.Minute, time.Since(start))
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			network := faultnet.New(pitfalltest.Serve(t, new(service.Server)).DialContext)
			network.Refuse(1)
			_, err := count(ctx, network.DialContext, three)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Serve(t, new(service.Server))
			pitfalltest.InARow(func(int) {
				values, err := count(ctx, server.DialContext, three)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Serve(t, new(service.Server))
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := count(ctx, server.DialContext, three)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// count connects through dial, makes one call, and closes the connection.
func count(ctx context.Context, dial dialer, req *pitfallsv1.CountRequest) ([]int64, error) {
	conn, err := FixedDial(dial)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return pitfalltest.Count(ctx, pitfallsv1.NewPitfallServiceClient(conn), req)
}
