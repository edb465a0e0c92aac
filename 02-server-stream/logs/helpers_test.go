package logs

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// register returns the function that adds srv to a server.
func register(srv logsv1.LogServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(s, srv) }
}

// dial serves srv in memory and returns a client.
func dial(t *testing.T, srv logsv1.LogServiceServer) logsv1.LogServiceClient {
	t.Helper()
	return logsv1.NewLogServiceClient(memservertest.Dial(t, register(srv)))
}

// startServer serves the log as cmd/server does, and returns a client. The
// drain may take 5 s.
func startServer(t *testing.T, log *Log) (*servetest.Server, logsv1.LogServiceClient) {
	t.Helper()
	s := serve.New()
	s.Drain, s.OnDrain = 5*time.Second, log.Drain
	register(&LogServer{Log: log})(s)
	server := servetest.Start(t, s)
	return server, logsv1.NewLogServiceClient(server.Dial(t))
}

// A stub is a LogService whose handler is OnStreamLogs.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	OnStreamLogs func(*logsv1.LogRequest, serverStream) error
}

func (s stub) StreamLogs(req *logsv1.LogRequest, stream serverStream) error {
	return s.OnStreamLogs(req, stream)
}

// A handlerEnd is the time at which a handler returned, and its error.
type handlerEnd struct {
	at  time.Time
	err error
}

// dialEnds serves the log in memory. It returns a client, and a channel that
// receives the end of each handler.
func dialEnds(t *testing.T, log *Log) (logsv1.LogServiceClient, <-chan handlerEnd) {
	t.Helper()
	ends := make(chan handlerEnd, 1)
	return dial(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
		err := (&LogServer{Log: log}).StreamLogs(req, stream)
		ends <- handlerEnd{time.Now(), err}
		return err
	}}), ends
}

// appendLines appends n entries. The first entry of a log is "line 1".
func appendLines(log *Log, n int) {
	for range n {
		log.Append(fmt.Sprintf("line %d", log.newest+1), false)
	}
}

// held returns the sequences of the oldest and of the newest entry that the
// log holds, and the bytes of all messages.
func held(log *Log) (oldest, newest uint64, size int) {
	for _, e := range log.entries {
		size += len(e.GetMessage())
	}
	return log.oldest, log.newest, size
}

// sequences returns the sequences of the entries that Tail yields, and its
// error. After each entry it sleeps for the time delay.
func sequences(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, delay time.Duration,
) ([]uint64, error) {
	var got []uint64
	for e, err := range Tail(ctx, c, req) {
		if err != nil {
			return got, err
		}
		got = append(got, e.GetSequence())
		time.Sleep(delay)
	}
	return got, nil
}

// between returns the sequences from one to another, both included.
func between(from, to uint64) []uint64 {
	var s []uint64
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}
