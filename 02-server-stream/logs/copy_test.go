package logs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestNewCopy_ContinuesTheLogThatItCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewCopy("612de92f", 0, 41) // holds one entry
		at := timestamppb.New(time.Now().Add(-time.Hour))
		log.Add(&logsv1.LogEntry{Message: "line 42", Timestamp: at})
		conn := memservertest.Dial(t, register(&LogServer{Log: log}))
		req := &logsv1.LogRequest{}
		for e, err := range Tail(t.Context(), logsv1.NewLogServiceClient(conn), req) {
			require.NoError(t, err)
			require.Equal(t, "line 42", e.GetMessage())
			require.Equal(t, at.AsTime(), e.GetTimestamp().AsTime())
		}
		require.Equal(t, "612de92f", req.GetLogId())
		require.EqualValues(t, 42, req.GetAfter())
	})
}

// A copy may have clients before it has entries.
func TestNewCopy_ServesFollowersBeforeItsFirstEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewCopy("612de92f", 10, 41)
		stream, err := dial(t, &LogServer{Log: log}).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		log.Add(&logsv1.LogEntry{Message: "the first"})
		entry, err := stream.Recv()
		require.NoError(t, err)
		require.EqualValues(t, 42, entry.GetSequence())
	})
}

func TestWait_EndsWithTheContextAndAtADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		require.NoError(t, log.Wait(t.Context(), 2), "entry 3 is there")

		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, log.Wait(ctx, 3))
		require.Equal(t, time.Minute, time.Since(start))

		time.AfterFunc(time.Hour, log.Drain)
		require.NoError(t, log.Wait(t.Context(), 3))
		require.Equal(t, time.Hour+time.Minute, time.Since(start))
		require.NoError(t, log.Wait(t.Context(), 2), "entry 3 comes first")
		require.Equal(t, codes.Unavailable, status.Code(log.Wait(t.Context(), 3)))
	})
}
