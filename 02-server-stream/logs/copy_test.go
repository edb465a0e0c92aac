package logs

import (
	"testing"
	"testing/synctest"

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
