package sharedlog

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestAppend_SameIDIsOneEntryForTwoMinutes(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, _ := l.log()
		require.NoError(t, log.Open(t.Context()))
		add := func() uint64 {
			sequence, err := log.Append(t.Context(), "p-7", "line", false)
			require.NoError(t, err)
			return sequence
		}
		require.EqualValues(t, 1, add())
		time.Sleep(time.Minute + 59*time.Second)
		require.EqualValues(t, 1, add())
		time.Sleep(2*time.Minute + time.Second)
		require.EqualValues(t, 2, add())
	})
}

// The engine stores the entry, and its confirmation is lost.
func TestAppend_RepeatsUntilItIsConfirmed(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a")
		log, k := l.log()
		require.NoError(t, log.Open(t.Context()))
		k.dropReplies(true)
		time.AfterFunc(time.Minute, func() { k.dropReplies(false) })
		start := time.Now()
		sequence, err := log.Append(t.Context(), "p-1", "line", false)
		require.NoError(t, err)
		require.EqualValues(t, 1, sequence)
		require.Greater(t, time.Since(start), time.Minute)
		messages, err := tail(t, l.dial("a"), &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Len(t, messages, 1)
	})
}

func TestAppend_GivesUpBeforeARepetitionIsAnEntry(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, k := l.log()
		require.NoError(t, log.Open(t.Context()))
		k.setSilent(true)
		start := time.Now()
		_, err := log.Append(t.Context(), "p-1", "line", false)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "append p-1: context deadline exceeded; the last attempt: no connection to the engine")
		require.Equal(t, 110*time.Second, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = log.Append(ctx, "p-2", "line", false)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 115*time.Second, time.Since(start))
	})
}

func TestAppend_RefusesWhatTheEngineWouldRefuse(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, _ := l.log()
		require.NoError(t, log.Open(t.Context()))
		_, err := log.Append(t.Context(), "", "line", false)
		require.EqualError(t, err, "id: must have 1 to 256 bytes, got 0")
		_, err = log.Append(t.Context(), strings.Repeat("x", 257), "line", false)
		require.EqualError(t, err, "id: must have 1 to 256 bytes, got 257")
		_, err = log.Append(t.Context(), "p-1", strings.Repeat("x", 32<<10+1), false)
		require.EqualError(t, err, "message: must be at most 32768 bytes, got 32769")
		_, err = log.Append(t.Context(), strings.Repeat("x", 256), strings.Repeat("x", 32<<10), false)
		require.NoError(t, err)
	})
}

// Any client of the engine can append, and may send what is not UTF-8.
func TestEntry_HasWhatChapter02Requires(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		r := l.start("a")
		_, err := r.Log.Append(t.Context(), "p-1", "a long", true)
		require.NoError(t, err)
		_, err = r.Log.js.Publish(t.Context(), "log", []byte("line \xff"))
		require.NoError(t, err)
		stream, err := l.dial("a").StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, "a long", first.GetMessage())
		require.True(t, first.GetPartial())
		require.Equal(t, time.Now(), first.GetTimestamp().AsTime().Local())
		second, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, "line \uFFFD", second.GetMessage())
		require.False(t, second.GetPartial())
		require.EqualValues(t, 2, second.GetSequence())
	})
}

// A replica needs no acknowledgment; a queue that does jobs does.
func TestEngine_DeliversUntilItIsAcknowledged(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.append("job") // before anybody receives
		stream, err := l.publisher.js.Stream(t.Context(), l.publisher.conf.Name)
		require.NoError(t, err)
		consumer, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{AckWait: time.Minute})
		require.NoError(t, err)
		var m jetstream.Msg
		for range 3 {
			m, err = consumer.Next(jetstream.FetchMaxWait(time.Hour))
			require.NoError(t, err)
			require.Equal(t, "job", string(m.Data()))
		}
		require.NoError(t, m.DoubleAck(t.Context()))
		_, err = consumer.Next(jetstream.FetchMaxWait(time.Hour))
		require.ErrorIs(t, err, nats.ErrTimeout)
	})
}

func TestOpen_LimitsTheLogAsChapter02Does(t *testing.T) {
	bubble(t, Config{Retention: 1000}, func(t *testing.T, l *lab) {
		log, _ := l.log()
		require.NoError(t, log.Open(t.Context()))
		stream, err := log.js.Stream(t.Context(), log.conf.Name)
		require.NoError(t, err)
		require.EqualValues(t, 1000, stream.CachedInfo().Config.MaxMsgs)
		require.EqualValues(t, logs.MaxLogBytes, stream.CachedInfo().Config.MaxBytes)

		second, err := NewLog(log.js.Conn(), Config{Retention: 5})
		require.NoError(t, err)
		require.NoError(t, second.Open(t.Context()))
		_, s, err := second.open(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1000, s.retention, "as the first has created it")
	})
}

// A stream of NATS has no limit by default.
func TestOpen_RefusesALogWithoutRetention(t *testing.T) {
	bubble(t, Config{Name: "mine"}, func(t *testing.T, l *lab) {
		_, err := l.publisher.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "log"})
		require.NoError(t, err)
		log, err := NewLog(l.publisher.js.Conn(), Config{})
		require.NoError(t, err)
		_, _, err = log.open(t.Context())
		require.EqualError(t, err, "somebody else has created the log: retention: must be from 1 to 1000000, got -1")
	})
}

func TestNewLog_RefusesWhatNoEngineKeeps(t *testing.T) {
	_, err := NewLog(nil, Config{Nodes: 2})
	require.EqualError(t, err, "nodes: must be 1, 3 or 5, got 2")
	_, err = NewLog(nil, Config{Retention: -1})
	require.EqualError(t, err, "retention: must be from 1 to 1000000, got -1")
	_, err = NewLog(nil, Config{Retention: 1_000_001})
	require.EqualError(t, err, "retention: must be from 1 to 1000000, got 1000001")
	_, err = NewLog(nil, Config{Name: "shared.log"})
	require.EqualError(t, err, `name: must not have white space or . * > / \, got "shared.log"`)
}
