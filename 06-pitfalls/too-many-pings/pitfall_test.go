package toomanypings

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/golden"
)

func TestBroken_LosesAQuietStreamAtTheFourthPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after, err := quiet(t, dial(t, BrokenDialOptions()...))

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		golden.File(t, "testdata/error.txt", err.Error()+"\n")
		require.Equal(t, 41*time.Second, after, "four pings, and the second before the server closes the connection")
	})
}

func TestFixed_KeepsAQuietStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, FixedDialOptions()...)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })

		call.StillRuns(t, 24*time.Hour)
	})
}

// The server's windows are static. Otherwise the server sends pings of its own
// to estimate the bandwidth, and the client takes these pings for activity.
func TestServer_CountsPingsDuringAnUpload(t *testing.T) {
	const window = 64 << 10
	synctest.Test(t, func(t *testing.T) {
		conn := pitfalltest.Serve(t, &service.Server{},
			grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window),
		).Dial(t, BrokenDialOptions()...)
		start := time.Now()
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Sum(t.Context())
		require.NoError(t, err)
		for err == nil {
			time.Sleep(time.Second)
			err = stream.Send(&pitfallsv1.Number{})
		}
		require.Less(t, time.Since(start), time.Minute)

		_, err = stream.CloseAndRecv()

		require.ErrorContains(t, err, "too_many_pings")
	})
}

func TestClient_DoublesItsIntervalAfterTheGOAWAY(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, BrokenDialOptions()...)
		for _, interval := range []time.Duration{10, 20, 40, 80, 160} {
			after, err := quiet(t, conn)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, (4*interval+1)*time.Second, after)
		}

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })
		call.StillRuns(t, 24*time.Hour)
	})
}

// For a client, the 5 minutes of a server whose clock is slow may be 5.5.
func TestFixed_KeepsItOpenIfTheServersClockIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{}, grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: 5*time.Minute + 30*time.Second}))
		conn := server.Dial(t, FixedDialOptions()...)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })

		call.StillRuns(t, 24*time.Hour)
	})
}

func TestServer_WantsTwoHoursWithoutAStream(t *testing.T) {
	for _, tt := range []struct {
		interval      time.Duration
		permits, open bool
	}{
		{6 * time.Minute, false, false},
		{6 * time.Minute, true, true},
		{2*time.Hour - time.Second, false, false},
		{2 * time.Hour, false, true},
	} {
		t.Run(fmt.Sprint(tt.interval, tt.permits), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := pitfalltest.Serve(t, &service.Server{}, grpc.KeepaliveEnforcementPolicy(
					keepalive.EnforcementPolicy{PermitWithoutStream: tt.permits}))
				conn := server.Dial(t, grpc.WithIdleTimeout(0), grpc.WithKeepaliveParams(keepalive.ClientParameters{
					Time: tt.interval, PermitWithoutStream: true,
				}))
				conn.Connect()
				synctest.Wait()

				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				closed := conn.WaitForStateChange(ctx, connectivity.Ready)

				require.Equal(t, tt.open, !closed)
				if closed {
					require.Equal(t, 4*tt.interval, time.Since(start), "at the fourth ping")
				}
			})
		})
	}
}

func TestServer_WantsFiveMinutesWithAStream(t *testing.T) {
	for interval, open := range map[time.Duration]bool{5*time.Minute - time.Second: false, 5 * time.Minute: true} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				after, err := quiet(t, dial(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: interval})))
				require.Equal(t, open, after == 25*time.Hour, "ended with %v after %v", err, after)
			})
		})
	}
}

// A stream is quiet, and another sends something every 15 s. Between that, the
// client sends a ping.
func TestServer_ForgetsPingsWhenItSends(t *testing.T) {
	for what, send := range map[string]func(grpc.ServerStream) error{
		"headers":   func(s grpc.ServerStream) error { return s.SendHeader(nil) },
		"a message": func(s grpc.ServerStream) error { return s.SendMsg(&pitfallsv1.Number{}) },
		"trailers":  func(grpc.ServerStream) error { return status.Error(codes.Aborted, "trailers") },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, s numbers) error {
					if err := send(s); err != nil {
						return err
					}
					<-s.Context().Done()
					return s.Context().Err()
				}}, BrokenDialOptions()...)
				stream, err := client.Echo(t.Context())
				require.NoError(t, err)
				call := pitfalltest.Go(func() error { _, err := stream.Recv(); return err })
				for range 100 {
					call.StillRuns(t, 15*time.Second)
					_, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
					require.NoError(t, err)
				}
			})
		})
	}
}

type numbers = grpc.ServerStreamingServer[pitfallsv1.Number]

// quiet opens a stream without messages. It returns the time after which the
// stream ended, and the error.
func quiet(t *testing.T, conn *grpc.ClientConn) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Hour)
	defer cancel()
	start := time.Now()
	stream, err := pitfallsv1.NewPitfallServiceClient(conn).Echo(ctx)
	if err == nil {
		_, err = stream.Recv()
	}
	return time.Since(start), err
}

func dial(t *testing.T, opts ...grpc.DialOption) *grpc.ClientConn {
	return pitfalltest.Serve(t, &service.Server{}).Dial(t, opts...)
}
