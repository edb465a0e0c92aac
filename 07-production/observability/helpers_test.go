package observability

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// everything returns a request for all entries, forever.
func everything() *logsv1.LogRequest { return &logsv1.LogRequest{Follow: true} }

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// A stub is a LogService whose handler is OnStreamLogs.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	OnStreamLogs func(*logsv1.LogRequest, serverStream) error
}

func (s stub) StreamLogs(req *logsv1.LogRequest, stream serverStream) error {
	return s.OnStreamLogs(req, stream)
}

func (s stub) register(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, s) }

// register returns the function that adds a LogServer with the log.
func register(log *logs.Log) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	}
}

// recoverPanic is an interceptor that turns a panic into Internal.
func recoverPanic(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if recover() != nil {
			err = status.Error(codes.Internal, "internal error")
		}
	}()
	return handler(srv, stream)
}

// follow opens a stream of the log and reads its first n entries.
func follow(ctx context.Context, t *testing.T, conn grpc.ClientConnInterface, n int) {
	t.Helper()
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, everything())
	require.NoError(t, err)
	for range n {
		_, err := stream.Recv()
		require.NoError(t, err)
	}
}

// newLogger returns a logger whose lines have the time in the bubble, such
// as "1m0s", and no level, and the buffer that they are written to.
func newLogger() (*slog.Logger, *bytes.Buffer) {
	start, lines := time.Now(), new(bytes.Buffer)
	return slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.Duration("at", a.Value.Time().Sub(start))
			case slog.LevelKey:
				return slog.Attr{}
			}
			return a
		},
	})), lines
}
