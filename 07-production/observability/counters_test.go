package observability

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func newCounters() *Counters {
	return &Counters{Method: logsv1.LogService_StreamLogs_FullMethodName}
}

func TestCounters_ShowOpenStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, counters := logs.NewLog(10), newCounters()
		server := memservertest.Serve(t, register(log), grpc.StatsHandler(counters))
		conn := server.Dial(t)
		require.Equal(t, Snapshot{}, counters.Snapshot())

		follow(t.Context(), t, conn, 0)
		time.Sleep(time.Hour)
		require.Equal(t, Snapshot{Open: 1, Unanswered: 1, Oldest: time.Hour, Received: 1, Ended: map[string]int64{}},
			counters.Snapshot())

		log.Append("one", false) // an hour after the first stream
		synctest.Wait()
		time.Sleep(time.Hour)
		follow(t.Context(), t, conn, 1) // answered at once
		synctest.Wait()
		want := Snapshot{
			Open: 2, Oldest: 2 * time.Hour, Sent: 2, Received: 2,
			First: 30 * time.Minute, Ended: map[string]int64{},
		}
		require.Equal(t, want, counters.Snapshot())
		require.Equal(t, "open=2 unanswered=0 oldest=2h0m0s sent=2 received=2 first=30m0s ended=map[]", want.String())

		log.Append("two", false) // no longer a first message
		synctest.Wait()
		want.Sent = 4
		require.Equal(t, want, counters.Snapshot())
	})
}

func TestCounters_TellHowStreamsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, counters := logs.NewLog(10), newCounters()
		server := memservertest.Serve(t, register(log), grpc.StatsHandler(counters))
		conn := server.Dial(t)
		client := logsv1.NewLogServiceClient(conn)
		call := func(req *logsv1.LogRequest) (err error) {
			for _, err = range logs.Tail(t.Context(), client, req) {
				// The last error counts.
			}
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		follow(ctx, t, conn, 0)
		synctest.Wait()
		cancel()
		require.NoError(t, call(&logsv1.LogRequest{}))
		synctest.Wait()
		before := counters.Snapshot()
		require.NoError(t, call(&logsv1.LogRequest{}))
		require.Error(t, call(&logsv1.LogRequest{After: 7}))
		log.Drain()
		require.Error(t, call(everything()))
		synctest.Wait()
		require.Equal(t, Snapshot{
			Sent:     3, // bookmarks, before OK and Unavailable
			Received: 5,
			Ended:    map[string]int64{"OK": 2, "Canceled": 1, "OutOfRange": 1, "Unavailable": 1},
		}, counters.Snapshot())
		require.Equal(t, map[string]int64{"OK": 1, "Canceled": 1}, before.Ended, "it is a copy")
	})
}

func TestCounters_EachCountsItsOwnMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, counters := logs.NewLog(10), newCounters()
		watches := &Counters{Method: healthv1.Health_Watch_FullMethodName}
		server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
			register(log)(s)
			healthv1.RegisterHealthServer(s, health.NewServer())
		}, grpc.StatsHandler(counters), grpc.StatsHandler(watches))
		conn := server.Dial(t)
		log.Append("one", false)
		follow(t.Context(), t, conn, 1)
		for range 2 {
			stream, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
		}
		synctest.Wait()
		require.Equal(t, Snapshot{Open: 1, Sent: 1, Received: 1, Ended: map[string]int64{}}, counters.Snapshot())
		require.Equal(t, Snapshot{Open: 2, Sent: 2, Received: 2, Ended: map[string]int64{}}, watches.Snapshot())
	})
}

func TestCounters_CountMessagesEachWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counters := &Counters{Method: "/any.Service/Sum"}
		server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {}, grpc.StatsHandler(counters),
			grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
				for {
					err := stream.RecvMsg(new(emptypb.Empty))
					if errors.Is(err, io.EOF) {
						return stream.SendMsg(new(emptypb.Empty))
					}
					if err != nil {
						return err
					}
				}
			}))
		stream, err := server.Dial(t).NewStream(t.Context(),
			&grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, counters.Method)
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, stream.SendMsg(new(emptypb.Empty)))
		}
		synctest.Wait()
		require.EqualValues(t, 5, counters.Snapshot().Received, "while the stream is open")
		require.NoError(t, stream.CloseSend())
		require.NoError(t, stream.RecvMsg(new(emptypb.Empty)))
		require.ErrorIs(t, stream.RecvMsg(new(emptypb.Empty)), io.EOF)
		synctest.Wait()
		require.Equal(t, Snapshot{Sent: 1, Received: 5, Ended: map[string]int64{"OK": 1}}, counters.Snapshot())
	})
}

func TestCounters_DoNotSeeABlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, counters := logs.NewLog(1000), newCounters()
		server := memservertest.Serve(t, register(log), grpc.StatsHandler(counters))
		follow(t.Context(), t, server.Dial(t), 0) // and reads nothing
		for range 1000 {
			log.Append(strings.Repeat("x", 1000), false)
		}
		synctest.Wait()
		want := counters.Snapshot()
		require.Greater(t, want.Sent, int64(100), "buffered, and not read")
		require.Less(t, want.Sent, int64(300))
		time.Sleep(time.Hour)
		want.Oldest = time.Hour
		require.Equal(t, want, counters.Snapshot())
	})
}

func TestCounters_MayBeReadAtAnyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the race detector looks on
		log, counters := logs.NewLog(1000), newCounters()
		server := memservertest.Serve(t, register(log), grpc.StatsHandler(counters))
		conn := server.Dial(t)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				n := 0
				for _, err := range logs.Tail(ctx, logsv1.NewLogServiceClient(conn), everything()) {
					assert.NoError(t, err)
					if n++; n == 50 {
						return
					}
				}
			})
		}
		for range 50 {
			log.Append("tick", false)
			counters.Snapshot()
			time.Sleep(time.Millisecond)
		}
		group.Wait()
		synctest.Wait()
		got := counters.Snapshot()
		require.EqualValues(t, 1000, got.Sent)
		require.Equal(t, map[string]int64{"Canceled": 20}, got.Ended)
	})
}
