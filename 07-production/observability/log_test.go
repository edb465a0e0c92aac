package observability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

func TestLogStreams_LogsWhileAStreamIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		logger, lines := newLogger()
		server := memservertest.Serve(t, register(log), grpc.ChainStreamInterceptor(LogStreams(logger, time.Minute)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(ctx, everything())
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		for range 7 { // an entry at 10 s, 30 s, 50 s, ..., 2 min 10 s
			log.Append("tick", false)
			_, err := stream.Recv()
			require.NoError(t, err)
			time.Sleep(20 * time.Second)
		}
		cancel()
		synctest.Wait()

		same := " stream=1 method=/logs.v1.LogService/StreamLogs peer=bufconn"
		require.Equal(t, 4, strings.Count(lines.String(), same))
		golden.File(t, "testdata/lines.txt", strings.ReplaceAll(lines.String(), same, ""))
	})
}

func TestLogStreams_TellsHowLongSendIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		logger, lines := newLogger()
		server := memservertest.Serve(t, register(log), grpc.ChainStreamInterceptor(LogStreams(logger, time.Minute)))
		follow(t.Context(), t, server.Dial(t), 0) // and reads nothing
		time.Sleep(10 * time.Second)
		for range 1000 {
			log.Append(strings.Repeat("x", 1000), false)
		}
		time.Sleep(110 * time.Second)
		synctest.Wait()
		got := strings.Split(strings.TrimSpace(lines.String()), "\n")
		require.Len(t, got, 3)
		require.Regexp(t, `at=1m0s .*age=1m0s sent=\d+ received=1 blocked=50s$`, got[1])
		require.Regexp(t, `at=2m0s .*age=2m0s sent=\d+ received=1 blocked=1m50s$`, got[2])
		sent := regexp.MustCompile(` sent=\d+ `)
		require.Equal(t, sent.FindString(got[1]), sent.FindString(got[2]), "as if it were quiet")
	})
}

func TestLogStreams_QuietStreamIsNotBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		logger, lines := newLogger()
		server := memservertest.Serve(t, register(log), grpc.ChainStreamInterceptor(LogStreams(logger, time.Minute)))
		_, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(),
			&logsv1.LogRequest{Follow: true, Contains: "no such text"}) // a filter
		require.NoError(t, err)
		log.Append("one", false)
		time.Sleep(2*time.Minute + 1)
		synctest.Wait()
		got := strings.Split(strings.TrimSpace(lines.String()), "\n")
		require.Len(t, got, 3)
		require.Regexp(t, `at=1m0s .*age=1m0s sent=0 received=1$`, got[1])
		require.Regexp(t, `at=2m0s .*age=2m0s sent=0 received=1$`, got[2])
	})
}

func TestLogStreams_LogsHowAStreamEnded(t *testing.T) {
	require.Equal(t, codes.Unknown.String(), status.Code(context.DeadlineExceeded).String())
	for name, tt := range map[string]struct {
		handler func(*logsv1.LogRequest, serverStream) error
		want    string
	}{
		"OK": {
			func(*logsv1.LogRequest, serverStream) error { return nil },
			`code=OK error=<nil>`,
		},
		"status": {
			func(*logsv1.LogRequest, serverStream) error { return status.Error(codes.OutOfRange, "too old") },
			`code=OutOfRange error="rpc error: code = OutOfRange desc = too old"`,
		},
		"context error": { // whose status.Code is Unknown
			func(*logsv1.LogRequest, serverStream) error { return context.DeadlineExceeded },
			`code=DeadlineExceeded error="context deadline exceeded"`,
		},
		"plain error": {
			func(*logsv1.LogRequest, serverStream) error { return errors.New("bug") },
			`code=Unknown error=bug`,
		},
		"panic": {
			func(*logsv1.LogRequest, serverStream) error { panic("bug") },
			`code=Internal error="rpc error: code = Internal desc = the handler panicked"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logger, lines := newLogger()
				server := memservertest.Serve(t, stub{OnStreamLogs: tt.handler}.register,
					grpc.ChainStreamInterceptor(recoverPanic, LogStreams(logger, time.Minute)))
				stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), everything())
				require.NoError(t, err)
				_, err = stream.Recv()
				require.Error(t, err)
				if errors.Is(err, io.EOF) {
					err = nil // OK
				}
				synctest.Wait()
				require.Contains(t, lines.String(), `msg="stream ended"`)
				require.Contains(t, lines.String(), " code="+status.Code(err).String()+" ", "the client's")
				require.Contains(t, lines.String(), tt.want)
			})
		})
	}
}

func TestLogStreams_NumbersTheStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, lines := newLogger()
		server := memservertest.Serve(t, register(logs.NewLog(10)),
			grpc.ChainStreamInterceptor(LogStreams(logger, time.Hour)))
		conn := server.Dial(t) // one peer
		for n := range 3 {
			follow(t.Context(), t, conn, 0)
			synctest.Wait()
			require.Contains(t, lines.String(), fmt.Sprintf(`msg="stream opened" stream=%d `, n+1))
			all := strings.Join(memservertest.Goroutines(), "\n")
			require.Equal(t, n+1, strings.Count(all, "(*loggedStream).logEvery.func1("), "goroutines")
		}
	})
}
