package sharedlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
)

// tail returns the messages that one call receives, and how the call ended.
// It cancels the call after an hour.
func tail(t *testing.T, c logsv1.LogServiceClient, req *logsv1.LogRequest) (messages []string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for e, err := range logs.Tail(ctx, c, req) {
		if err != nil {
			return messages, err
		}
		messages = append(messages, e.GetMessage())
	}
	return messages, nil
}

func lines(n int) (messages []string) {
	for i := range n {
		messages = append(messages, fmt.Sprint("line ", i+1))
	}
	return messages
}

// requireEnd requires the code and the message of a call's status.
func requireEnd(t *testing.T, code codes.Code, message string, err error) {
	t.Helper()
	require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
	require.Equal(t, message, status.Convert(err).Message())
}

// A client resumes at b, whose link has been silent for 3 s. The client is
// ahead of b, and not of the log.
func TestReplica_BehindWaitsForTheEntry(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a")
		b := l.start("b")
		b.link.setSilent(true)
		l.append(lines(5)...)
		time.AfterFunc(3*time.Second, func() { b.link.setSilent(false) })
		time.AfterFunc(time.Minute, func() { l.append("line") })

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := l.dial("b").StreamLogs(ctx, &logsv1.LogRequest{After: 5, Follow: true})
		require.NoError(t, err)
		start := time.Now()
		e, err := stream.Recv()
		require.NoError(t, err)
		require.EqualValues(t, 6, e.GetSequence())
		require.InDelta(t, 60, time.Since(start).Seconds(), 0.1)
	})
}

// Without follow, the call ends with the newest entry of the log, and not
// with the newest one of the copy.
func TestReplica_BehindReadsWhatWasAppended(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a")
		c := l.dial("a")
		for i := range 20 {
			l.append("line")
			messages, err := tail(t, c, &logsv1.LogRequest{})
			require.NoError(t, err)
			require.Len(t, messages, i+1)
		}
	})
}

func TestReplica_RefusesWhatNoReplicaHas(t *testing.T) {
	bubble(t, Config{Retention: 10}, func(t *testing.T, l *lab) {
		l.start("a")
		for _, line := range lines(15) {
			l.append(line)
			synctest.Wait() // or the engine drops entries before a has read them
		}
		c := l.dial("a")
		start := time.Now()
		_, err := tail(t, c, &logsv1.LogRequest{After: 16, Follow: true})
		requireEnd(t, codes.OutOfRange, "after: 16 is ahead of the newest, 15", err)
		require.Equal(t, 10*time.Second, time.Since(start), "MaxOutage")

		_, err = tail(t, c, &logsv1.LogRequest{After: 4, Follow: true})
		requireEnd(t, codes.OutOfRange, "after: 4 is no longer held; the oldest is 6", err)

		id := l.replicas["a"].served().id
		_, err = tail(t, c, &logsv1.LogRequest{After: 400, LogId: "another", Follow: true})
		requireEnd(t, codes.OutOfRange, "after: 400 belongs to another log; this log is "+id, err)
		require.Equal(t, 10*time.Second, time.Since(start), "only the first call has waited")
	})
}

// The engine has the entry, so the client must not hear OutOfRange.
func TestReplica_FarBehindSendsTheClientAway(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		r := l.start("a")
		l.append(lines(5)...)
		r.stop() // nobody fills this copy
		r.serving = &replicaCopy{Log: logs.NewCopy(r.served().id, 10, 0), id: r.served().id}
		_, err := tail(t, l.dial("a"), &logsv1.LogRequest{After: 5, Follow: true})
		requireEnd(t, codes.Unavailable, "this server does not have entry 5 yet; resume at another one", err)

		r.link.setSilent(true)
		_, err = tail(t, l.dial("a"), &logsv1.LogRequest{After: 5, Follow: true})
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
		require.ErrorContains(t, err, "the engine does not answer: ")
	})
}

func TestReplica_OutageSendsFollowersAway(t *testing.T) {
	for name, tt := range map[string]struct {
		outage time.Duration
		moves  bool
	}{
		"shorter than MaxOutage": {9 * time.Second, false},
		"longer than MaxOutage":  {30 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, l *lab) {
				a := l.start("a")
				l.append("line")
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				stream, err := l.dial("a").StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
				require.NoError(t, err)
				_, err = stream.Recv()
				require.NoError(t, err)

				a.link.setSilent(true)
				start := time.Now()
				time.AfterFunc(tt.outage, func() { a.link.setSilent(false) })
				time.AfterFunc(tt.outage, func() { l.append("line 2") })
				e, err := stream.Recv()
				if !tt.moves {
					require.NoError(t, err)
					require.EqualValues(t, 2, e.GetSequence())
					return
				}
				requireEnd(t, codes.Unavailable, "this server cannot read the log; resume at another one", err)
				sent := time.Since(start)
				require.GreaterOrEqual(t, sent, 10*time.Second)
				require.LessOrEqual(t, sent, 15*time.Second)

				// The replica is back by itself, with the same log.
				time.Sleep(time.Minute)
				messages, err := tail(t, l.dial("a"), &logsv1.LogRequest{})
				require.NoError(t, err)
				require.Len(t, messages, 2)
			})
		})
	}
}

// Health sends the followers of a to b, and new ones too.
func TestReplica_OutageMovesFollowersByHealth(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a").link.setSilent(true)
		l.start("b")
		time.Sleep(time.Minute)
		require.Nil(t, l.replicas["a"].served())
		c := l.dial("a", "b")
		l.append(lines(3)...)
		for range 10 { // round_robin would take a for some of them
			messages, err := tail(t, c, &logsv1.LogRequest{})
			require.NoError(t, err)
			require.Len(t, messages, 3)
		}
	})
}

// The filter matches only the first entry, and the entry after that is no
// longer held. The bookmark of a is a position in b.
func TestReplica_BookmarkOfOneResumesAtAnother(t *testing.T) {
	bubble(t, Config{Retention: 10}, func(t *testing.T, l *lab) {
		l.start("a").BookmarkInterval = time.Second
		l.start("b")
		l.append("first")
		req := &logsv1.LogRequest{Contains: "first", Follow: true}
		go func() {
			for range 30 {
				time.Sleep(time.Second)
				l.append("another")
			}
			l.kill("a")
		}()
		messages, err := tail(t, l.dial("a"), req)
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, []string{"first"}, messages)
		require.Greater(t, req.GetAfter(), uint64(28))

		l.append("first and last")
		req.Follow = false
		messages, err = tail(t, l.dial("b"), req)
		require.NoError(t, err)
		require.Equal(t, []string{"first and last"}, messages)
	})
}

func TestReplica_IDIsTheSameAfterARestart(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		a, b := l.start("a"), l.start("b")
		id := a.served().id
		require.Equal(t, id, b.served().id)
		time.Sleep(time.Hour)
		l.kill("a")
		l.stopNode()
		time.Sleep(time.Minute)
		l.startNode()
		require.Equal(t, id, l.start("a").served().id)
		time.Sleep(time.Minute)
		require.Equal(t, id, b.served().id)
	})
}

// The files of the engine are lost. The log begins again at 1, and nobody
// may take a position of the old log for one of the new log.
func TestReplica_NewLogHasAnotherID(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a")
		l.append(lines(5)...)
		req := &logsv1.LogRequest{}
		_, err := tail(t, l.dial("a"), req)
		require.NoError(t, err)
		l.stopNode()
		l.dir = l.dir + "/new"
		l.startNode()
		time.Sleep(time.Minute)
		l.append(lines(9)...)
		synctest.Wait()
		_, err = tail(t, l.dial("a"), req)
		id := l.replicas["a"].served().id
		requireEnd(t, codes.OutOfRange, fmt.Sprintf("after: 5 belongs to another log; this log is %s", id), err)
		messages, err := tail(t, l.dial("a"), &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Len(t, messages, 9)
	})
}

// While the replica is away, the engine drops what the copy would need next.
func TestReplica_GapBeginsANewCopy(t *testing.T) {
	bubble(t, Config{Retention: 10}, func(t *testing.T, l *lab) {
		a := l.start("a")
		l.append(lines(5)...)
		var got []uint64
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		done := make(chan error, 1)
		c := l.dial("a")
		go func() {
			var last error
			for e, err := range balancing.Follow(ctx, c, 0) {
				if last = err; err == nil {
					got = append(got, e.GetSequence())
				}
			}
			done <- last
		}()
		synctest.Wait()
		a.link.setSilent(true)
		l.append(lines(100)...)
		a.link.setSilent(false)
		err := <-done
		cancel()
		require.Equal(t, codes.OutOfRange.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, []uint64{1, 2, 3, 4, 5}, got)
		messages, err := tail(t, c, &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Len(t, messages, 10)
	})
}

// A power cut, and the node has lost its newest entries: its files are older.
// The engine gives their sequences to others, and a follower misses these.
func TestReplica_PowerCutReplacesEntries(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		a := l.start("a")
		l.append(lines(5)...)
		l.stopNode()
		older := filepath.Join(l.dir, "older")
		require.NoError(t, os.CopyFS(filepath.Join(older, "jetstream"), os.DirFS(filepath.Join(l.dir, "jetstream"))))
		l.startNode()
		l.append("lost 1", "lost 2")
		time.Sleep(time.Minute)
		req := &logsv1.LogRequest{}
		messages, err := tail(t, l.dial("a"), req)
		require.NoError(t, err)
		require.Len(t, messages, 7)
		id := a.served().id

		l.stopNode()
		l.dir = older
		l.startNode()
		time.Sleep(time.Minute)
		require.Equal(t, id, a.served().id)
		_, err = tail(t, l.dial("a"), req)
		requireEnd(t, codes.OutOfRange, "after: 7 is ahead of the newest, 5", err)
		l.append("new 1", "new 2", "new 3")
		messages, err = tail(t, l.dial("a"), req)
		require.NoError(t, err)
		require.Equal(t, []string{"new 3"}, messages)
	})
}

// While it does not serve, the replica says why after each MaxOutage.
func TestReplica_SaysWhyItDoesNotServe(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, k := l.log()
		k.setSilent(true)
		k.cut()
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		var reasons []error
		r := &Replica{Log: log, OnServing: func(err error) { reasons = append(reasons, err) }}
		r.Run(ctx)
		require.Len(t, reasons, 3)
		for _, err := range reasons {
			require.EqualError(t, err, "no connection to the engine")
		}
		r.Drain()
		r.serve(nil, errors.New("after Drain"))
		require.Len(t, reasons, 3)
	})
}

// The last heartbeat is up to half a second old when the link falls silent.
func TestReplica_ReaderEndsAfterTwoHeartbeats(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		log, k := l.log()
		serving, ended := make(chan struct{}), make(chan struct{})
		r := &Replica{Log: log, OnServing: func(error) { close(serving) }}
		go func() {
			defer close(ended)
			_, _ = r.read(t.Context())
		}()
		<-serving
		time.Sleep(61300 * time.Millisecond) // not while the reader asks for the leader
		k.setSilent(true)
		start := time.Now()
		<-ended
		require.InDelta(t, 0.75, time.Since(start).Seconds(), 0.26)
	})
}

func TestReplica_SaysThatTheEngineDoesNotAnswer(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		l.start("a").link.setSilent(true)
		_, err := tail(t, l.dial("a"), &logsv1.LogRequest{})
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
		require.ErrorContains(t, err, "the engine does not answer: ")
	})
}

func TestReplica_DrainSaysShuttingDown(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		a := l.start("a")
		l.append(lines(3)...)
		time.AfterFunc(time.Minute, a.Drain)
		messages, err := tail(t, l.dial("a"), &logsv1.LogRequest{Follow: true})
		requireEnd(t, codes.Unavailable, "shutting down; resume after 3", err)
		require.Len(t, messages, 3)
	})
}

func TestReplica_WaitingCallEndsWithItsContext(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, l *lab) {
		r := l.start("a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		// Not through a client, whose Recv ends with its context in any case.
		err := r.catchUp(ctx, r.served(), &logsv1.LogRequest{After: 7, Follow: true})
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, time.Second, time.Since(start))
	})
}
