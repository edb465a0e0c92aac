package memory_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/memory"
	"example.com/streams/internal/memserver/memservertest"
)

// limited serves an empty log with ServerOptions.
func limited(t *testing.T) logsv1.LogServiceClient {
	return logsv1.NewLogServiceClient(serveLimited(t).Dial(t))
}

func serveLimited(t *testing.T) memservertest.Server {
	return memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: logs.NewLog(1)})
	}, memory.ServerOptions()...)
}

func TestServerOptions_101stStreamWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serveLimited(t)
		client := logsv1.NewLogServiceClient(server.Dial(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 100 {
			_, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
			require.NoError(t, err)
		}
		start := time.Now()
		_, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String())
		require.Equal(t, time.Minute, time.Since(start))

		second := logsv1.NewLogServiceClient(server.Dial(t))
		_, err = second.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err, "another connection has streams of its own")
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestServerOptions_RefuseWhatIsTooLarge(t *testing.T) {
	for name, tt := range map[string]struct{ header, contains, message string }{
		"header":  {strings.Repeat("x", 20<<10), "", "rpc error: code = Internal desc = header list size to send violates the maximum size (16384 bytes) set by server"},
		"request": {"", strings.Repeat("x", 70_000), "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (70004 vs. 65536)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := limited(t)
				ctx := metadata.AppendToOutgoingContext(t.Context(), "note", tt.header)
				for range 2 { // the first call connects
					stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Contains: tt.contains})
					if err == nil {
						_, err = stream.Recv()
					}
					synctest.Wait()
					require.EqualError(t, err, tt.message)
				}
			})
		})
	}
}

// The client floods handlers that do not read. Without the static windows,
// each handler's stream would hold more: see the pitfall unread-streams.
func TestServerOptions_LimitUnreadRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const streams = 20
		wait := func(_ any, stream grpc.ServerStream) error { <-stream.Context().Done(); return nil }
		server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {},
			append(memory.ServerOptions(), grpc.UnknownServiceHandler(wait))...)
		conn := server.Dial(t)
		var sent atomic.Int64
		for range streams {
			stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, "/test/Flood")
			require.NoError(t, err)
			go func() {
				for stream.SendMsg(wrapperspb.Bytes(make([]byte, 1200))) == nil { // until the test ends
					sent.Add(1200)
				}
			}()
		}
		synctest.Wait()
		requireBetween(t, [2]int64{120, 130}, sent.Load()/streams/kib)
	})
}
