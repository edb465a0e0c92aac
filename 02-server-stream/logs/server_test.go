package logs

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestStreamLogs_EntryArrivesBeforeNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := dial(t, &LogServer{Log: log})
		stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		for i := range uint64(3) {
			log.Append("tick", false)
			entry, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, i+1, entry.GetSequence())
			require.Equal(t, time.Now().UTC(), entry.GetTimestamp().AsTime())
			time.Sleep(time.Minute)
		}
	})
}

func TestStreamLogs_FastAndSlowGetAllInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 200
		log := NewLog(entries)
		client := dial(t, &LogServer{Log: log})
		results := make(chan []uint64, 50)
		for i := range 50 {
			go func() {
				delay := time.Duration(i) * time.Millisecond
				got, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, delay)
				if want := "shutting down; resume after 200"; status.Convert(err).Message() != want {
					t.Errorf("follower %d: got %v, want %s", i, err, want)
				}
				results <- got
			}()
		}
		for range entries {
			appendLines(log, 1)
			time.Sleep(20 * time.Millisecond)
		}
		log.Drain()
		for range 50 {
			require.Equal(t, between(1, entries), <-results)
		}
	})
}

func TestStreamLogs_SlowFollowerDoesNotDelayAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := dial(t, &LogServer{Log: log}).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)

		start := time.Now()
		for range 1000 { // about 100 times what flow control allows
			log.Append(strings.Repeat("x", MaxLine), false)
			synctest.Wait()
		}
		require.Zero(t, time.Since(start))
	})
}

func TestStreamLogs_TooSlowIsOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		client := dial(t, &LogServer{Log: log})
		fast := make(chan []uint64, 1)
		go func() {
			got, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, 0)
			if want := "shutting down; resume after 1000"; status.Convert(err).Message() != want {
				t.Errorf("the fast follower: got %v, want %s", err, want)
			}
			fast <- got
		}()
		go func() {
			for range 1000 {
				log.Append(strings.Repeat("x", MaxLine), false)
				time.Sleep(time.Millisecond)
			}
			log.Drain()
		}()

		slow, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, time.Second)

		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "is no longer held; the oldest is 991")
		require.Equal(t, between(1, uint64(len(slow))), slow, "no gap before the error")
		require.Equal(t, between(1, 1000), <-fast)
	})
}

func TestStreamLogs_SendsWhatTheRequestSelects(t *testing.T) {
	for name, tt := range map[string]struct {
		appended int
		req      *logsv1.LogRequest
		want     []uint64
		err      string // empty: OK
	}{
		"all that is held":            {25, &logsv1.LogRequest{}, between(16, 25), ""},
		"what contains a text":        {25, &logsv1.LogRequest{Contains: "line 2"}, between(20, 25), ""},
		"after the one that has gone": {25, &logsv1.LogRequest{After: 15}, between(16, 25), ""},
		"after the newest":            {25, &logsv1.LogRequest{After: 25}, nil, ""},
		"no longer held":              {25, &logsv1.LogRequest{After: 14}, nil, "after: 14 is no longer held; the oldest is 16"},
		"ahead of the newest":         {25, &logsv1.LogRequest{After: 26}, nil, "after: 26 is ahead of the newest, 25"},
		"the largest sequence":        {25, &logsv1.LogRequest{After: 1<<64 - 1}, nil, "after: 18446744073709551615 is ahead of the newest, 25"},
		"empty log":                   {0, &logsv1.LogRequest{}, nil, ""},
		"ahead of an empty log":       {0, &logsv1.LogRequest{After: 7}, nil, "after: 7 is ahead of the newest, 0"},
		"log that is not full":        {5, &logsv1.LogRequest{After: 2}, between(3, 5), ""},
		"log that has just filled up": {10, &logsv1.LogRequest{}, between(1, 10), ""},
		"first entry has just gone":   {11, &logsv1.LogRequest{After: 1}, between(2, 11), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				appendLines(log, tt.appended)
				got, err := sequences(t.Context(), dial(t, &LogServer{Log: log}), tt.req, 0)
				require.Equal(t, tt.want, got)
				if tt.err == "" {
					require.NoError(t, err)
					return
				}
				require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
				require.Equal(t, tt.err, status.Convert(err).Message())
			})
		})
	}
}

// A sender keeps the entries that the handler sends.
type sender struct {
	serverStream
	sent []*logsv1.LogEntry
}

func (s *sender) Send(e *logsv1.LogEntry) error {
	if !e.GetBookmark() {
		s.sent = append(s.sent, e)
	}
	return s.serverStream.Send(e)
}

func TestStreamLogs_HandlersShareTheEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		sent := make(chan []*logsv1.LogEntry, 2)
		client := dial(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
			s := &sender{serverStream: stream}
			err := (&LogServer{Log: log}).StreamLogs(req, s)
			sent <- s.sent
			return err
		}})
		for range 2 {
			_, err := sequences(t.Context(), client, &logsv1.LogRequest{}, 0)
			require.NoError(t, err)
		}
		one, other := <-sent, <-sent
		require.Len(t, one, 3)
		for i := range one {
			require.Same(t, one[i], other[i])
		}
	})
}

// The handler reads the log in batches of 16 entries.
func TestStreamLogs_WithoutFollowSendsAllBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		appendLines(log, 200)
		got, err := sequences(t.Context(), dial(t, &LogServer{Log: log}), &logsv1.LogRequest{}, 0)
		require.NoError(t, err)
		require.Equal(t, between(1, 200), got)
	})
}

func TestStreamLogs_ContainsHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &LogServer{Log: NewLog(10)})
		text := strings.Repeat("x", 16<<10)
		_, err := sequences(t.Context(), client, &logsv1.LogRequest{Contains: text}, 0)
		require.NoError(t, err)
		_, err = sequences(t.Context(), client, &logsv1.LogRequest{Contains: text + "x"}, 0)
		require.Equal(t, codes.InvalidArgument, status.Code(err), "got %v", err)
		require.Equal(t, "contains: must be at most 16384 bytes, got 16385", status.Convert(err).Message())
	})
}

func TestStreamLogs_CancelEndsTheHandlerAtOnce(t *testing.T) {
	for name, interval := range map[string]time.Duration{
		"between entries":        time.Second,
		"before the first entry": 2 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(4000)
				client, ends := dialEnds(t, log)
				ctx, cancel := context.WithCancel(t.Context())
				go Generate(ctx, log, interval)
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

// A handler whose filter matches nothing sends no entry, and here no bookmark. If the log grows
// faster than the handler reads, the handler does not wait for an entry
// either. Only its context tells the handler that the client has left.
func TestStreamLogs_CancelEndsABusyHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := strings.Repeat("x", MaxLine)
		slow := strings.Repeat("x", 127) + "y" // a text that takes long to search for in line
		log := NewLog(1000)
		returned := make(chan error)
		client := dial(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
			<-stream.Context().Done() // the client leaves first
			returned <- (&LogServer{Log: log}).StreamLogs(req, stream)
			return nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := client.StreamLogs(ctx, &logsv1.LogRequest{Contains: slow, Follow: true})
		require.NoError(t, err)
		synctest.Wait() // until the call has arrived
		for range 1000 {
			log.Append(line, false)
		}
		cancel()
		for {
			select {
			case err := <-returned:
				require.Equal(t, codes.Canceled, status.Code(err), "the handler returned %v", err)
				return
			default:
				log.Append(line, false) // without a pause
			}
		}
	})
}

func TestStreamLogs_DeadlineCoversTheWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		client, ends := dialEnds(t, log)
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		start := time.Now()
		go Generate(ctx, log, time.Second)

		got, err := sequences(ctx, client, &logsv1.LogRequest{Follow: true}, 0)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 9500*time.Millisecond, time.Since(start))
		require.Equal(t, between(1, 9), got)
		// Two events end the handler at that instant, and either may come
		// first: its own timer, set from the grpc-timeout header, and the
		// client's RST_STREAM.
		end := <-ends
		require.Contains(t, []codes.Code{codes.DeadlineExceeded, codes.Canceled}, status.Code(end.err))
		require.Equal(t, 9500*time.Millisecond, end.at.Sub(start))
	})
}
