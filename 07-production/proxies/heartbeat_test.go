package proxies

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/wire"
)

func TestPing_DoesNotKeepAQuietStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, oneEntry(), serverPings)
		var toProxy, toServer strings.Builder
		proxy := start(t, &Proxy{Idle: time.Minute, Dial: wire.New(&toServer).Dialer(server.DialContext)}, server)
		client := proxy.client(t, clientPings,
			grpc.WithContextDialer(wire.New(&toProxy).Dialer(proxy.DialContext)))

		messages, lived, err := read(t.Context(), client, follow)

		require.EqualError(t, err, reset)
		require.Equal(t, time.Minute, lived)
		require.Equal(t, 1, messages)
		synctest.Wait()
		for side, frames := range map[string]string{
			"C->S": toProxy.String(),
			"S->C": toServer.String(),
		} {
			for _, at := range []string{"10s", "20s", "30s", "40s", "50s"} {
				require.Regexp(t, at+" "+side+" PING .*\n.* "+at+" .* PING .* ACK\n", frames)
			}
		}
	})
}

// The bookmarks come every 15 s, without any option.
func TestBookmarks_KeepAQuietStreamOpenForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := behind(t, &Proxy{Idle: time.Minute}, serve(t, oneEntry()))

		messages, lived, err := read(endsAfter(t, 24*time.Hour), client, withBookmarks)

		require.EqualError(t, err, canceled, "nobody but the test ends the stream")
		require.Equal(t, 24*time.Hour, lived)
		require.InDelta(t, 1+24*60*4, messages, 1, "an entry, and 4 bookmarks a minute")
	})
}

// What the reader does with an entry may take long.
func TestWatchdog_DoesNotCountTheTimeOfTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		log.Append("first", false)
		log.Append("second", false)
		client := logsv1.NewLogServiceClient(serve(t, &logs.LogServer{Log: log}).Dial(t))
		time.AfterFunc(3*time.Hour, log.Drain)
		var sequences []uint64
		var err error
		for e, failed := range logs.Tail(t.Context(), &Watchdog{client, 50 * time.Second}, &logsv1.LogRequest{Follow: true}) {
			if err = failed; err == nil {
				sequences = append(sequences, e.GetSequence())
				time.Sleep(time.Hour)
			}
		}
		require.ErrorContains(t, err, "code = Unavailable desc = shutting down")
		require.Equal(t, []uint64{1, 2}, sequences)
	})
}

func TestWatchdog_EndsConcurrentCallsAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &watchedService{silent(), make(chan struct{}, 2)}
		client := logsv1.NewLogServiceClient(serve(t, service).Dial(t))
		watchdog := &Watchdog{client, 40 * time.Second}
		start, results := time.Now(), make(chan error, 2)
		for range 2 {
			go func() {
				_, _, err := read(t.Context(), watchdog, follow)
				results <- err
			}()
		}
		for range 2 {
			require.EqualError(t, <-results, "rpc error: code = DeadlineExceeded desc = the server sent nothing for 40s")
			<-service.ended
		}
		require.Equal(t, 40*time.Second, time.Since(start))
	})
}

func TestWatchdog_LeavesNoContextBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		client := logsv1.NewLogServiceClient(serve(t, &logs.LogServer{Log: log}).Dial(t))
		var ctx context.Context
		stub := &stub{client, func(c context.Context) { ctx = c }}
		stream, err := (&Watchdog{stub, time.Minute}).StreamLogs(t.Context(), new(logsv1.LogRequest))
		require.NoError(t, err)
		_, err = stream.Recv()
		require.EqualError(t, err, "EOF")
		require.Error(t, ctx.Err())
	})
}

// stub shows the context of a call.
type stub struct {
	logsv1.LogServiceClient
	opened func(context.Context)
}

func (s *stub) StreamLogs(
	ctx context.Context, req *logsv1.LogRequest, opts ...grpc.CallOption,
) (grpc.ServerStreamingClient[logsv1.LogEntry], error) {
	s.opened(ctx)
	return s.LogServiceClient.StreamLogs(ctx, req, opts...)
}
