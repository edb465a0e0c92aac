package toomanypings

import (
	"context"
	"io"
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
		require.Equal(t, 41*time.Second, after, "four pings, and a second in which the GOAWAY is sent")
	})
}

func TestFixed_KeepsAQuietStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, FixedDialOptions()...)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })

		call.StillRuns(t, 24*time.Hour)
	})
}

// The server's windows are static, because a server that estimates the
// bandwidth sends pings of its own, and the client takes these for activity.
func TestServer_CountsPingsDuringAnUpload(t *testing.T) {
	const window = 64 << 10
	synctest.Test(t, func(t *testing.T) {
		conn := pitfalltest.Serve(t, &service.Server{},
			grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window),
		).Dial(t, BrokenDialOptions()...)
		start := time.Now()
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Sum(t.Context())
		require.NoError(t, err)
		upload := pitfalltest.Go(func() error {
			for {
				time.Sleep(time.Second)
				if err := stream.Send(&pitfallsv1.Number{}); err != nil {
					return err
				}
			}
		})

		err = stream.RecvMsg(new(pitfallsv1.SumResponse))

		require.Equal(t, 41*time.Second, time.Since(start))
		require.ErrorContains(t, err, "too_many_pings")
		require.Equal(t, io.EOF, upload.Err())
	})
}

func TestClient_DoublesItsIntervalAfterTheGOAWAY(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, BrokenDialOptions()...)
		var times []time.Duration
		for range 5 {
			after, err := quiet(t, conn)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			times = append(times, after-time.Second)
		}
		require.Equal(t, []time.Duration{
			40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second, 640 * time.Second,
		}, times)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })
		call.StillRuns(t, 24*time.Hour)
	})
}

func TestServer_AllowsFewerPingsWithoutAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 5 * time.Minute, PermitWithoutStream: true,
		}))
		conn.Connect()
		synctest.Wait()

		start := time.Now()
		require.True(t, conn.WaitForStateChange(t.Context(), connectivity.Ready))

		require.Equal(t, 20*time.Minute, time.Since(start))
	})
}

// quiet opens a stream without messages, and returns how the stream ended, and
// after what time.
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
