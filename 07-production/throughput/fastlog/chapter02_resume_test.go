// Code generated from 02-server-stream/logs/resume_test.go; DO NOT EDIT.

package fastlog

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestTail_ResumesAfterADayOfAQuietFilter(t *testing.T) {
	withEachClient(t, testTail_ResumesAfterADayOfAQuietFilter)
}

func testTail_ResumesAfterADayOfAQuietFilter(t *testing.T) {
	for name, interval := range map[string]time.Duration{
		"an entry a minute": time.Minute,      // a bookmark per 15 s
		"an entry per ms":   time.Millisecond, // a bookmark per 500 entries
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(1000)
				client := dial(t, &LogServer{Log: log})
				log.Append("ALARM one", false)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					for range 24 * 60 {
						time.Sleep(interval)
						appendLines(log, 1)
					}
					cancel()
				}()
				req := &logsv1.LogRequest{Contains: "ALARM", Follow: true}
				got, err := sequences(ctx, client, req, 0)
				require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
				require.Equal(t, []uint64{1}, got)
				require.Greater(t, req.GetAfter(), got[0], "without bookmarks, the client would resume after entry 1")

				_, err = sequences(t.Context(), client, &logsv1.LogRequest{LogId: log.id, After: 1}, 0)
				require.Equal(t, codes.OutOfRange, status.Code(err), "without bookmarks: got %v", err)

				appendLines(log, 400) // while the client is away
				log.Append("ALARM two", false)
				req.Follow = false
				got, err = sequences(t.Context(), client, req, 0)
				require.NoError(t, err)
				require.Equal(t, []uint64{24*60 + 402}, got)
			})
		})
	}
}

// A server that restarts has a new log. A sequence of the old log is in the
// new one too, if the new log has grown that far.
func TestTail_DoesNotResumeInAnotherLog(t *testing.T) {
	withEachClient(t, testTail_DoesNotResumeInAnotherLog)
}

func testTail_DoesNotResumeInAnotherLog(t *testing.T) {
	for name, entries := range map[string]int{"empty": 0, "fewer entries": 3, "more entries": 8} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before, restarted := NewLog(10), NewLog(10)
				appendLines(before, 5)
				before.Drain()
				req := &logsv1.LogRequest{Follow: true}
				got, err := sequences(t.Context(), dial(t, &LogServer{Log: before}), req, 0)
				require.Equal(t, "shutting down; resume after 5", status.Convert(err).Message())
				require.Equal(t, between(1, 5), got)

				appendLines(restarted, entries)
				req.Follow = false
				got, err = sequences(t.Context(), dial(t, &LogServer{Log: restarted}), req, 0)
				require.Empty(t, got)
				require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
				require.Equal(t, "after: 5 belongs to another log; this log is "+restarted.id,
					status.Convert(err).Message())
			})
		})
	}
}

// Bookmark 0 says that the log was empty: entry 1 comes next.
func TestTail_ResumesAfterAnEmptyLog(t *testing.T) {
	withEachClient(t, testTail_ResumesAfterAnEmptyLog)
}

func testTail_ResumesAfterAnEmptyLog(t *testing.T) {
	for name, tt := range map[string]struct {
		appended int
		err      string
	}{
		"all entries are held": {10, ""},
		"entry 1 has gone":     {11, "after: 0 is no longer held; the oldest is 2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				client := dial(t, &LogServer{Log: log})
				req := new(logsv1.LogRequest)
				_, err := sequences(t.Context(), client, req, 0)
				require.NoError(t, err)
				appendLines(log, tt.appended)
				got, err := sequences(t.Context(), client, req, 0)
				require.Equal(t, tt.err, status.Convert(err).Message())
				if tt.err == "" {
					require.Equal(t, between(1, 10), got)
				}
			})
		})
	}
}

func TestTail_BreakCountsTheEntryAsReceived(t *testing.T) {
	withEachClient(t, testTail_BreakCountsTheEntryAsReceived)
}

func testTail_BreakCountsTheEntryAsReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 10)
		client := dial(t, &LogServer{Log: log})
		req := new(logsv1.LogRequest)
		var got []uint64
		for range 10 {
			for e, err := range Tail(t.Context(), client, req) {
				require.NoError(t, err)
				got = append(got, e.GetSequence())
				break
			}
		}
		require.Equal(t, between(1, 10), got)
	})
}

// The bookmarks of a silent stream are its heartbeat.
func TestStreamLogs_SilentStreamHasBookmarks(t *testing.T) {
	withEachClient(t, testStreamLogs_SilentStreamHasBookmarks)
}

func testStreamLogs_SilentStreamHasBookmarks(t *testing.T) {
	for name, tt := range map[string]struct{ interval, want time.Duration }{
		"by default": {0, 15 * time.Second},
		"as set":     {time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				client := dial(t, &LogServer{Log: log, BookmarkInterval: tt.interval})
				stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true, Bookmarks: true})
				require.NoError(t, err)
				for range 100 {
					start := time.Now()
					m, err := stream.Recv()
					require.NoError(t, err)
					require.Equal(t, tt.want, time.Since(start))
					require.True(t, m.GetBookmark())
					require.Zero(t, m.GetSequence())
					require.Equal(t, log.id, m.GetLogId())
				}
			})
		})
	}
}

func TestStreamLogs_BookmarksAreSentOnRequest(t *testing.T) {
	withEachClient(t, testStreamLogs_BookmarksAreSentOnRequest)
}

func testStreamLogs_BookmarksAreSentOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		time.AfterFunc(24*time.Hour, log.Drain)
		stream, err := dial(t, &LogServer{Log: log}).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		m, err := stream.Recv()
		require.Nil(t, m, "a client that does not know bookmarks would print it")
		require.Equal(t, "shutting down; resume after 0", status.Convert(err).Message())
	})
}

// A bookmark comes after half of the retention or 1,000 entries, whichever is
// less, and up to 15 more, because a handler looks at 16 entries at a time. The
// last one comes at the end.
func TestStreamLogs_BookmarksWithoutAMatch(t *testing.T) {
	withEachClient(t, testStreamLogs_BookmarksWithoutAMatch)
}

func testStreamLogs_BookmarksWithoutAMatch(t *testing.T) {
	for name, tt := range map[string]struct {
		retention int
		every     uint64
	}{
		"small log": {200, 100},
		"large log": {3000, 1000},
		"one entry": {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(tt.retention)
				appendLines(log, tt.retention)
				req := &logsv1.LogRequest{Contains: "ALARM", Bookmarks: true}
				stream, err := dial(t, &LogServer{Log: log}).StreamLogs(t.Context(), req)
				require.NoError(t, err)
				bookmarks, last := uint64(0), uint64(0)
				m, err := stream.Recv()
				for ; err == nil; m, err = stream.Recv() {
					require.True(t, m.GetBookmark())
					require.Less(t, m.GetSequence(), last+tt.every+16)
					bookmarks, last = bookmarks+1, m.GetSequence()
				}
				require.ErrorIs(t, err, io.EOF)
				require.EqualValues(t, tt.retention, last)
				require.LessOrEqual(t, bookmarks, last/tt.every+1)
			})
		})
	}
}

// A client whose filter matches nothing learns where to resume even if the
// server drains before the first bookmark is due.
func TestTail_LearnsTheCursorAtADrain(t *testing.T) {
	withEachClient(t, testTail_LearnsTheCursorAtADrain)
}

func testTail_LearnsTheCursorAtADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 5)
		req := &logsv1.LogRequest{Contains: "ALARM", Follow: true}
		time.AfterFunc(time.Second, log.Drain)
		_, err := sequences(t.Context(), dial(t, &LogServer{Log: log}), req, 0)
		require.Equal(t, "shutting down; resume after 5", status.Convert(err).Message())
		require.Equal(t, uint64(5), req.GetAfter())
		require.Equal(t, log.id, req.GetLogId())
	})
}
