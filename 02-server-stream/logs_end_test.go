package serverstream

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/serve"
)

// A handlerEnd is when and how a handler returned.
type handlerEnd struct {
	at  time.Time
	err error
}

// dialWatched is dialLog with a channel on which handlers say that they
// have returned.
func dialWatched(t *testing.T, log *Log) (logsv1.LogServiceClient, <-chan handlerEnd) {
	ends := make(chan handlerEnd, 1)
	server := bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	}, grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		err := handler(srv, stream)
		ends <- handlerEnd{time.Now(), err}
		return err
	}))
	return logsv1.NewLogServiceClient(server.Dial(t)), ends
}

func TestCancelEndsTheHandlerInTheSameInstant(t *testing.T) {
	for name, publish := range map[string]func(context.Context, *Log){
		"before the first entry": func(context.Context, *Log) {},
		"between entries":        func(ctx context.Context, log *Log) { Generate(ctx, log, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(4000)
				client, ends := dialWatched(t, log)
				ctx, cancel := context.WithCancel(t.Context())
				go publish(ctx, log)
				start := time.Now()
				time.AfterFunc(time.Hour, cancel)

				_, err := sequences(ctx, client, &logsv1.LogRequest{Follow: true}, 0)

				end := <-ends
				require.Equal(t, codes.Canceled, status.Code(err), "the client got %v", err)
				require.Equal(t, codes.Canceled, status.Code(end.err), "the handler returned %v", end.err)
				require.Equal(t, time.Hour, end.at.Sub(start))
			})
		})
	}
}

func TestTheHandlerEndsWhenShowFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		client, ends := dialWatched(t, log)
		enough := errors.New("enough")
		start := time.Now()

		err := Follow(t.Context(), client, &logsv1.LogRequest{Follow: true}, func(*logsv1.LogEntry) error { return enough })

		require.ErrorIs(t, err, enough)
		end := <-ends
		require.Equal(t, codes.Canceled, status.Code(end.err))
		require.Zero(t, end.at.Sub(start))
	})
}

func TestADeadlineCoversTheWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		client, ends := dialWatched(t, log)
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		start := time.Now()
		go Generate(ctx, log, time.Second)

		got, err := sequences(ctx, client, &logsv1.LogRequest{Follow: true}, 0)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 9500*time.Millisecond, time.Since(start))
		require.Equal(t, upTo(9), got)
		// Two things end the handler at that instant: its own timer, set from
		// the grpc-timeout header, and the client's RST_STREAM. Either wins.
		end := <-ends
		require.Contains(t, []codes.Code{codes.DeadlineExceeded, codes.Canceled}, status.Code(end.err))
		require.Equal(t, 9500*time.Millisecond, end.at.Sub(start))
	})
}

func TestShutdownTellsFiftyFollowersWhereToResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(100)
		client, stop := serveLog(t, log, 5*time.Second)
		followers := make(chan error)
		for range 50 {
			go func() {
				got, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, 0)
				if len(got) != 30 {
					err = errors.Join(errors.New("entries are missing"), err)
				}
				followers <- err
			}()
		}
		synctest.Wait()
		appendLines(log, 30) // and at once:
		start := time.Now()
		require.NoError(t, stop())
		require.Zero(t, time.Since(start), "nobody had to be waited for")
		for range 50 {
			err := <-followers
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, "the server is shutting down; resume after 30", status.Convert(err).Message())
		}
	})
}

func TestShutdownDoesNotWaitForEverForAFollowerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		client, stop := serveLog(t, log, 5*time.Second)
		stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		for range 1000 {
			log.Append(string(make([]byte, MaxLine)), false)
		}
		synctest.Wait() // the handler is blocked in Send

		start := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 5*time.Second, time.Since(start))
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
	})
}

// serveLog is the server of cmd/server, in memory. stop is its SIGTERM, and
// returns when it has drained.
func serveLog(t *testing.T, log *Log, drain time.Duration) (logsv1.LogServiceClient, func() error) {
	listener := bufconn.Listen(64 << 10)
	s := serve.New()
	s.Drain, s.OnDrain = drain, log.Close
	logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.ServeUntil(ctx, listener) }()

	conn, err := grpc.NewClient("passthrough:///log",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return logsv1.NewLogServiceClient(conn), func() error {
		cancel()
		return <-served
	}
}
