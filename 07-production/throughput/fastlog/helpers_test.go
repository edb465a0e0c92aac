package fastlog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	fastlogv1 "example.com/streams/07-production/throughput/fastlog/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

func init() { encoding.RegisterCodecV2(bufcodec.Codec{}) } // as package main does

// What the tests of chapter 02 call.

const MaxLine = logs.MaxLine

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

var Tail = logs.Tail

func Generate(ctx context.Context, log *Log, interval time.Duration) {
	logs.Generate(ctx, log, interval)
}

// withEachClient runs a test twice.
func withEachClient(t *testing.T, test func(*testing.T)) {
	t.Run("entries", test)
	t.Run("batches", test)
}

// newClient returns a client of chapter 02 or, in a subtest "batches", one
// that receives batches.
func newClient(t *testing.T, conn grpc.ClientConnInterface) logsv1.LogServiceClient {
	if strings.Contains(t.Name(), "/batches") {
		return NewClient(conn)
	}
	return logsv1.NewLogServiceClient(conn)
}

// register returns the function that adds srv to a server.
func register(srv logsv1.LogServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, srv)
		if srv, ok := srv.(fastlogv1.BatchLogServiceServer); ok {
			fastlogv1.RegisterBatchLogServiceServer(s, srv)
		}
	}
}

// dial serves srv in memory and returns a client.
func dial(t *testing.T, srv logsv1.LogServiceServer) logsv1.LogServiceClient {
	t.Helper()
	conn := memservertest.Dial(t, register(srv))
	if _, ok := srv.(fastlogv1.BatchLogServiceServer); !ok {
		return logsv1.NewLogServiceClient(conn) // a stub has no batches
	}
	return newClient(t, conn)
}

// startServer serves the log as cmd/server does, and returns a client. The
// drain may take 5 s.
func startServer(t *testing.T, log *Log) (*servetest.Server, logsv1.LogServiceClient) {
	t.Helper()
	s := serve.New()
	s.Drain, s.OnDrain = 5*time.Second, log.Drain
	register(&LogServer{Log: log})(s)
	server := servetest.Start(t, s)
	return server, newClient(t, server.Dial(t))
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
	intercept := grpc.StreamInterceptor(func(
		srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		err := handler(srv, stream)
		ends <- handlerEnd{time.Now(), err}
		return err
	})
	server := memservertest.Serve(t, register(&LogServer{Log: log}), intercept)
	return newClient(t, server.Dial(t)), ends
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
		size += e.size
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
