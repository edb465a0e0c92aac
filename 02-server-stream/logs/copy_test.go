package logs

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestNewCopy_ContinuesTheLogThatItCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewCopy("612de92f", 10, 41)
		log.Add(&logsv1.LogEntry{Message: "line 42"})
		conn := memservertest.Dial(t, register(&LogServer{Log: log}))
		req := &logsv1.LogRequest{}
		for e, err := range Tail(t.Context(), logsv1.NewLogServiceClient(conn), req) {
			require.NoError(t, err)
			require.Equal(t, "line 42", e.GetMessage())
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
