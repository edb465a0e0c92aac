package toomanypings

import (
	"context"
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
)

func TestBrokenOptionsLoseAQuietStreamWithTheFourthPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lived, err := quiet(t, dial(t, BrokenDialOptions()...))

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, `code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`)
		require.Equal(t, 41*time.Second, lived, "four pings, and a second for GOAWAY to arrive")
	})
}

func TestFixedOptionsKeepIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, FixedDialOptions()...)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })

		call.StillRuns(t, 24*time.Hour)
	})
}

func TestAClientThatIsToldSoDoublesItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, BrokenDialOptions()...)
		var lives []time.Duration
		for range 5 {
			lived, err := quiet(t, conn)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			lives = append(lives, lived-time.Second)
		}
		require.Equal(t, []time.Duration{
			40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second, 640 * time.Second,
		}, lives)

		call := pitfalltest.Go(func() error { _, err := quiet(t, conn); return err })
		call.StillRuns(t, 24*time.Hour)
	})
}

func TestWithoutAStreamEveryFiveMinutesIsTooOften(t *testing.T) {
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

// quiet opens a stream that carries nothing, and returns when it has ended.
func quiet(t *testing.T, conn *grpc.ClientConn) (lived time.Duration, err error) {
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
