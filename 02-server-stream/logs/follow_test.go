package logs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// follow calls got for each entry, and calls Tail again, a second later, when
// the server is unavailable. 05-cancellation/follow.go waits better.
func follow(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, got func(*logsv1.LogEntry),
) error {
	for {
		var end error
		for e, err := range Tail(ctx, c, req) { // resumes: Tail has moved req
			if end = err; err == nil {
				got(e)
			}
		}
		if status.Code(end) != codes.Unavailable {
			return end // nil: the server ended the call with OK
		}
		select {
		case <-time.After(time.Second): // so that the server has time to come back
		case <-ctx.Done(): // then Tail yields the reason
		}
	}
}

// The server is down for ten seconds, then has the same log.
func TestFollow_ResumesAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := NewLog(10)
		appendLines(before, 3)
		before.Drain()
		after := NewLog(10)
		after.id = before.id
		appendLines(after, 5)
		start, calls := time.Now(), 0
		client := dial(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
			calls++
			switch down := time.Since(start); {
			case down == 0:
				return (&LogServer{Log: before}).StreamLogs(req, stream)
			case down < 10*time.Second:
				return status.Error(codes.Unavailable, "no server")
			}
			return (&LogServer{Log: after}).StreamLogs(req, stream)
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var got []uint64

		err := follow(ctx, client, &logsv1.LogRequest{Follow: true}, func(e *logsv1.LogEntry) {
			got = append(got, e.GetSequence())
		})

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, time.Hour, time.Since(start))
		require.Equal(t, between(1, 5), got)
		require.Equal(t, 11, calls, "one a second, and the last one stays open")
	})
}

func TestFollow_EndsWithOtherCodes(t *testing.T) {
	for _, want := range []codes.Code{codes.OK, codes.OutOfRange} {
		synctest.Test(t, func(t *testing.T) {
			client := dial(t, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error {
				return status.Error(want, "the end")
			}})
			err := follow(t.Context(), client, &logsv1.LogRequest{}, func(*logsv1.LogEntry) {})
			require.Equal(t, want, status.Code(err), "got %v", err)
		})
	}
}
