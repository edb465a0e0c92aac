package wire

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

func TestAUnaryCallIsTwoFramesOutAndThreeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		require.Equal(t, codes.OK, s.check(t, ""))
		require.Equal(t, `
      0s C->S HEADERS    stream=1   len=66    :path=/grpc.health.v1.Health/Check
      0s C->S DATA       stream=1   len=5     END_STREAM message=0B
      0s S->C HEADERS    stream=1   len=14    :status=200
      0s S->C DATA       stream=1   len=7     message=2B
      0s S->C HEADERS    stream=1   len=24    END_STREAM grpc-status=0
`, s.screen.String())
	})
}

func TestAnErrorWithoutMessagesIsOneFrameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		time.Sleep(90 * time.Minute)
		require.Equal(t, codes.NotFound, s.check(t, "coffee"))
		require.Equal(t, `
 1h30m0s C->S HEADERS    stream=1   len=66    :path=/grpc.health.v1.Health/Check
 1h30m0s C->S DATA       stream=1   len=13    END_STREAM message=8B
 1h30m0s S->C HEADERS    stream=1   len=49    END_STREAM :status=200 grpc-status=5 grpc-message="unknown service"
`, s.screen.String())
	})
}

func TestACancelledStreamEndsWithRSTSTREAM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.watch(t, ctx)
		time.Sleep(500 * time.Millisecond)
		s.health.SetServingStatus("", healthv1.HealthCheckResponse_NOT_SERVING)
		time.Sleep(700 * time.Millisecond)
		cancel()
		synctest.Wait()
		require.Equal(t, `
      0s C->S HEADERS    stream=1   len=65    :path=/grpc.health.v1.Health/Watch
      0s C->S DATA       stream=1   len=5     END_STREAM message=0B
      0s S->C HEADERS    stream=1   len=14    :status=200
      0s S->C DATA       stream=1   len=7     message=2B
   500ms S->C DATA       stream=1   len=7     message=2B
    1.2s C->S RST_STREAM stream=1   len=4     code=CANCEL
`, s.screen.String())
	})
}

// At the deadline both sides end the stream in the same instant, so which
// of RST_STREAM and trailers are sent is a race. Only their time is sure.
func TestADeadlineTravelsWithTheRequestAndEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
		defer cancel()
		s.watch(t, ctx)
		<-ctx.Done()
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(s.screen.String()), "\n")
		require.Contains(t, lines[0], ":path=/grpc.health.v1.Health/Watch grpc-timeout=1200000u")
		require.Greater(t, len(lines), 4)
		for _, line := range lines[4:] {
			require.Regexp(t, `^    1\.2s .* (code=CANCEL|END_STREAM grpc-status=\d .*)$`, line)
		}
	})
}

func TestAMessageMaySpanFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		require.Equal(t, codes.NotFound, s.check(t, strings.Repeat("x", 40_000)))
		require.Contains(t, s.screen.String(), `
      0s C->S DATA       stream=1   len=16384 message=16379/40004B
      0s C->S DATA       stream=1   len=16384 message=32763/40004B
      0s C->S DATA       stream=1   len=7241  END_STREAM message=40004/40004B
`)
	})
}

func TestLargeMetadataGoesOnInContinuationAndIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		ctx := metadata.AppendToOutgoingContext(t.Context(), "secret", strings.Repeat("?", 40_000))
		_, err := s.client.Check(ctx, &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		require.Equal(t, codes.OK, s.check(t, ""))
		got := s.screen.String()
		require.Equal(t, 2, strings.Count(got, "C->S CONTINUATION stream=1"), got)
		require.Contains(t, got, `
      0s C->S HEADERS    stream=3   len=7     :path=/grpc.health.v1.Health/Check
`, "the call after it is decoded too")
		require.NotContains(t, got, "??")
	})
}

func TestAnySizeOfTheHeaderTableIsFollowed(t *testing.T) {
	for _, size := range []uint32{0, 64, 4096, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, grpc.HeaderTableSize(size))
			for range 20 {
				require.Equal(t, codes.OK, s.check(t, ""))
			}
			got := s.screen.String()
			require.Equal(t, 20, strings.Count(got, ":path=/grpc.health.v1.Health/Check\n"), got)
			require.NotContains(t, got, "no more frames")
		})
	}
}

func TestBothEndsSeeTheSameFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		s.watch(t, t.Context())
		require.Equal(t, codes.NotFound, s.check(t, "coffee"))
		for _, dir := range []string{"C->S", "S->C"} {
			atClient, atServer := s.screen.only(dir), s.serverScreen.only(dir)
			require.NotEmpty(t, atClient)
			require.Equal(t, atClient, atServer)
		}
	})
}

func TestADialErrorIsReturnedAsItIs(t *testing.T) {
	want := errors.New("no such host")
	dial := New(new(screen)).Dialer(func(context.Context, string) (net.Conn, error) { return nil, want })
	conn, err := dial(t.Context(), "somewhere:1")
	require.Nil(t, conn)
	require.Equal(t, want, err)
}

// A service is a health server and a client, both ends watched.
type service struct {
	health               *health.Server
	client               healthv1.HealthClient
	screen, serverScreen *screen
}

// serve starts one. Leaving the bubble proves that all of it ended.
func serve(t *testing.T, opts ...grpc.ServerOption) *service {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	s := &service{health: health.NewServer(), screen: new(screen), serverScreen: new(screen)}
	server := grpc.NewServer(append(opts, grpc.WaitForHandlers(true))...)
	healthv1.RegisterHealthServer(server, s.health)
	served := make(chan error, 1)
	go func() { served <- server.Serve(tappedListener{lis, tapStreams(s.serverScreen)}) }()
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
	conn, err := grpc.NewClient("passthrough:///wire",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(tapStreams(s.screen).Dialer(dial)))
	require.NoError(t, err)
	s.client = healthv1.NewHealthClient(conn)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		require.NoError(t, <-served)
	})
	return s
}

func tapStreams(s *screen) *Tap {
	t := New(s)
	t.StreamsOnly = true
	return t
}

type tappedListener struct {
	net.Listener
	tap *Tap
}

func (l tappedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.tap.Server(c), nil
}

func (s *service) check(t *testing.T, name string) codes.Code {
	t.Helper()
	_, err := s.client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
	return status.Code(err)
}

// watch opens a stream and receives its first message.
func (s *service) watch(t *testing.T, ctx context.Context) {
	t.Helper()
	stream, err := s.client.Watch(ctx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
}

// A screen keeps what a Tap prints.
type screen struct {
	mu     sync.Mutex
	writes []string
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

func (s *screen) String() string { return "\n" + strings.Join(s.only(""), "") }

// only returns the lines that hold word.
func (s *screen) only(word string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.writes {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return lines
}
