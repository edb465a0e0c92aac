package observability

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// logCalls is the log of a unary server, written for streams.
func logCalls(logger *slog.Logger) grpc.StreamServerInterceptor {
	return func(
		srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		start := time.Now()
		err := handler(srv, stream)
		logger.Info("call", "method", info.FullMethod,
			"took", time.Since(start), "code", status.Code(err).String())
		return err
	}
}

func TestLogCalls_SaysNothingForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(10)
		log.Append("the only entry", false)
		logger, lines := newLogger()
		server := memservertest.Serve(t, register(log), grpc.ChainStreamInterceptor(logCalls(logger)))
		ctx, cancel := context.WithCancel(t.Context())
		follow(ctx, t, server.Dial(t), 1)

		time.Sleep(24 * time.Hour)
		require.Empty(t, lines.String())

		cancel()
		synctest.Wait()
		golden.File(t, "testdata/naive.txt", lines.String())
	})
}
