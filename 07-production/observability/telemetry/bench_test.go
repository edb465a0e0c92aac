package telemetry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/observability"
	"example.com/streams/internal/memserver/memservertest"
)

// BenchmarkMessage measures one message of 100 bytes from a server to a
// client in the same process.
//
//	go test -run '^$' -bench . -benchtime 100000x -count 5 .
func BenchmarkMessage(b *testing.B) {
	noLimit := sdktrace.NewSpanLimits()
	noLimit.EventCountLimit = -1
	for _, bb := range []struct {
		name    string
		options []grpc.ServerOption
	}{
		{"nothing", nil},
		{"Counters", []grpc.ServerOption{grpc.StatsHandler(&observability.Counters{Method: method})}},
		{"Periods", []grpc.ServerOption{grpc.ChainStreamInterceptor(Periods(newBackend().tracers.Tracer(""), time.Second))}},
		{"otelgrpc", []grpc.ServerOption{withOtelgrpc(newBackend())}},
		{"grpc", []grpc.ServerOption{withGRPC(newBackend())}},
		{"grpc-without-limit", []grpc.ServerOption{withGRPC(newBackend(sdktrace.WithRawSpanLimits(noLimit)))}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			entry := &logsv1.LogEntry{Message: string(make([]byte, 100))}
			server := memservertest.Serve(b, stub{handler: func(stream serverStream) error {
				for {
					if err := stream.Send(entry); err != nil {
						return err
					}
				}
			}}.register, bb.options...)
			stream, err := logsv1.NewLogServiceClient(server.Dial(b)).StreamLogs(b.Context(), &logsv1.LogRequest{})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, err := stream.Recv()
				require.NoError(b, err)
			}
		})
	}
}
