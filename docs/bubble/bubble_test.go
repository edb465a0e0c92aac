package bubble

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
)

func TestCount_TakesOneSecondPerNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{})

		start := time.Now()
		got, err := Numbers(t.Context(), client, 3)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestCount_WorksFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := bufconn.Listen(64 << 10) // bytes in each direction
		server := grpc.NewServer(grpc.WaitForHandlers(true))
		pitfallsv1.RegisterPitfallServiceServer(server, &Server{})
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		conn, err := grpc.NewClient("passthrough:///bufconn",
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				return listener.DialContext(ctx)
			}),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()

		got, err := Numbers(t.Context(), pitfallsv1.NewPitfallServiceClient(conn), 3)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

func TestCount_HourTakesNoTime(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got, err := Numbers(t.Context(), dial(t, &Server{}), 60*60)
		require.NoError(t, err)
		require.Len(t, got, 3600)
		require.Equal(t, time.Hour, time.Since(start))
	})
	require.Less(t, time.Since(began), 5*time.Minute, "real time")
}

func TestCount_EndsWithTheClientsCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &Server{}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := dial(t, server).Count(ctx, &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		synctest.Wait() // until the handler waits for its first second
		require.Equal(t, 1, server.Running())

		cancel()
		synctest.Wait() // until the handler has returned
		require.Equal(t, 0, server.Running())
	})
}

// If the context did not end, the bubble would be red.
func TestContext_EndsWithTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := dial(t, &Server{}).Echo(t.Context())
		require.NoError(t, err)
		go func() {
			<-t.Context().Done()
			<-stream.Context().Done()
		}()
	})
}

func TestDeadline_IsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		start := time.Now()
		got, err := Numbers(ctx, dial(t, &Server{}), 10)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String())
		require.Equal(t, []int64{1, 2}, got)
		require.Equal(t, 2500*time.Millisecond, time.Since(start))
	})
}

func TestClock_BeginsIn2000(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, "2000-01-01 00:00:00", time.Now().UTC().Format(time.DateTime))
	})
}

// While a call waits, the server asks every two hours whether its client is
// still there, so that the clock always has a timer to jump to.
func TestClock_ServerPingsEveryTwoHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		server := memservertest.Serve(t, register(&Server{}))
		conn := server.Dial(t, grpc.WithContextDialer(wire.New(&frames).Dialer(server.DialContext)))
		_, err := pitfallsv1.NewPitfallServiceClient(conn).Echo(t.Context())
		require.NoError(t, err)
		time.Sleep(24*time.Hour + time.Minute)
		synctest.Wait()
		require.Contains(t, frames.String(), "\n  2h0m0s S->C PING")
		require.Contains(t, frames.String(), "\n  4h0m0s S->C PING")
		require.Equal(t, 12, strings.Count(frames.String(), "h0m0s S->C PING"), "frames:\n%s", &frames)
	})
}

// With the timers that a connection has by default.
func TestClock_RunsToTheYear2262(t *testing.T) {
	if os.Getenv("SLOW") == "" {
		t.Skip("takes seconds of CPU: set SLOW=1 to run it")
	}
	out := red(t, "TestRed_Year2262", "2m")
	require.Contains(t, out, "error reading from server: EOF")
	require.Contains(t, out, "took 2299079h47m16.854775807s")
}
