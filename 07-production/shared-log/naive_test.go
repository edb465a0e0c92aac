package sharedlog

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// Two servers of chapter 02 have the same five lines. A client reads them at
// the first one, and resumes at the second.
func TestNaive_AnotherServerHasAnotherLog(t *testing.T) {
	client := func() logsv1.LogServiceClient {
		log := logs.NewLog(100)
		for _, line := range lines(5) {
			log.Append(line, false)
		}
		return logsv1.NewLogServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
			logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
		}))
	}
	req := &logsv1.LogRequest{}
	messages, err := tail(t, client(), req)
	require.NoError(t, err)
	require.Equal(t, lines(5), messages)
	_, err = tail(t, client(), req)
	require.Error(t, err)
	require.Regexp(t, `^rpc error: code = OutOfRange desc = after: 5 belongs to another log; this log is [0-9a-f]{8}$`, err.Error())

	req.LogId = ""
	messages, err = tail(t, client(), req)
	require.NoError(t, err, "nobody notices")
	require.Empty(t, messages)
}
