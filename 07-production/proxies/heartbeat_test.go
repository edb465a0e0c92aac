package proxies

import (
	"strings"
	"sync/atomic"
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

		messages, lived, err := read(t.Context(), client)

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

func TestHeartbeats_KeepAQuietStreamOpenForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, &Heartbeats{LogServiceServer: oneEntry(), Every: 20 * time.Second})
		client := behind(t, &Proxy{Idle: time.Minute}, server)

		messages, lived, err := read(endsAfter(t, 24*time.Hour), client)

		require.EqualError(t, err, canceled, "nobody but the test ends the stream")
		require.Equal(t, 24*time.Hour, lived)
		require.InDelta(t, 1+24*60*3, messages, 1, "an entry, and 3 heartbeats a minute")
	})
}

// Entries come every 7 s. The stream is never quiet for 20 s.
func TestHeartbeats_AreNotSentWhileEntriesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		service := &Heartbeats{LogServiceServer: &logs.LogServer{Log: log}, Every: 20 * time.Second}
		client := logsv1.NewLogServiceClient(serve(t, service).Dial(t))
		go func() {
			for range 100 {
				time.Sleep(7 * time.Second)
				log.Append("entry", false)
			}
			log.Drain()
		}()

		messages, lived, err := read(t.Context(), client)

		require.EqualError(t, err, "rpc error: code = Unavailable desc = shutting down; resume after 100")
		require.Equal(t, 700*time.Second, lived)
		require.Equal(t, 100, messages)
	})
}

// The two senders of a stream must take turns. The race detector and the
// server's own checks find those that do not.
func TestHeartbeats_TakeTurnsWithEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		service := &stub{Heartbeats: Heartbeats{LogServiceServer: &logs.LogServer{Log: log}, Every: time.Millisecond}}
		client := logsv1.NewLogServiceClient(serve(t, service).Dial(t))
		go func() {
			for range 200 {
				log.Append("entry", false)
				time.Sleep(time.Millisecond)
			}
			log.Drain()
		}()

		var next uint64
		for e, err := range Tail(t.Context(), client, follow, time.Minute) {
			if err != nil {
				require.ErrorContains(t, err, "shutting down; resume after 200")
				break
			}
			next++
			require.Equal(t, next, e.GetSequence())
		}
		require.EqualValues(t, 200, next)
		require.Zero(t, service.overlaps.Load(), "calls of Send that overlap")
	})
}

// stub counts the calls of Send that overlap.
type stub struct {
	Heartbeats
	overlaps atomic.Int64
}

func (s *stub) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return s.Heartbeats.StreamLogs(req, &slow{ServerStreamingServer: stream, overlaps: &s.overlaps})
}

// slow is a stream whose Send takes a while.
type slow struct {
	grpc.ServerStreamingServer[logsv1.LogEntry]
	sending  atomic.Bool
	overlaps *atomic.Int64
}

func (s *slow) Send(e *logsv1.LogEntry) error {
	if s.sending.Swap(true) {
		s.overlaps.Add(1)
	}
	defer s.sending.Store(false)
	time.Sleep(time.Millisecond)
	return s.ServerStreamingServer.Send(e)
}

// What the reader does with an entry may take long.
func TestTail_DoesNotCountTheTimeOfTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		log.Append("first", false)
		log.Append("second", false)
		server := serve(t, &Heartbeats{LogServiceServer: &logs.LogServer{Log: log}, Every: 20 * time.Second})
		time.AfterFunc(3*time.Hour, log.Drain)
		var sequences []uint64
		for e, err := range Tail(t.Context(), logsv1.NewLogServiceClient(server.Dial(t)), follow, 50*time.Second) {
			if err != nil {
				require.ErrorContains(t, err, "shutting down; resume after 2")
				break
			}
			sequences = append(sequences, e.GetSequence())
			time.Sleep(time.Hour)
		}
		require.Equal(t, []uint64{1, 2}, sequences)
	})
}
