package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/memory"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// lines are 100 lines of 100 bytes.
var lines = func() (lines []string) {
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("2026-11-21T20:53:%02d.%03dZ INFO request served method=GET path=/users/%04d status=200 bytes=%05d ms=%03d",
			i*7%60, i*137%1000, i*3571%10000, i*7919%100000, i*31%1000))
	}
	return lines
}()

// Bytes a line, in both directions, at most. The lower bound is nine tenths.
var ways = []struct {
	name  string
	lines []string // of the log
	calls int
	opts  []grpc.CallOption
	bytes float64
}{
	{"a call for each line", lines, 100, nil, 250},
	{"one stream", lines, 1, nil, 145},
	{"one stream with gzip", lines, 1, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, 170},
	{"one stream, 100 lines in one message", []string{strings.Join(lines, "\n")}, 1, nil, 110},
	{"one stream, 100 lines in one message, with gzip", []string{strings.Join(lines, "\n")}, 1, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, 19},
}

func TestBytes_BatchesMakeCompressionWorthwhile(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| 100 lines of 100 bytes | Bytes on the wire for each line |\n|---|---|")
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := logs.NewLog(1000)
				server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
					logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
				})
				wire := &counter{dial: server.DialContext}
				client := logsv1.NewLogServiceClient(server.Dial(t, append(memory.DialOptions(), grpc.WithContextDialer(wire.DialContext))...))
				req := &logsv1.LogRequest{}
				receive(t, client, req, tt.opts) // connects, and teaches HPACK the headers
				synctest.Wait()
				wire.bytes.Store(0)
				for i := range tt.calls {
					for _, line := range tt.lines[i*len(tt.lines)/tt.calls : (i+1)*len(tt.lines)/tt.calls] {
						log.Append(line, false)
					}
					receive(t, client, req, tt.opts)
				}
				synctest.Wait()
				require.EqualValues(t, len(tt.lines), req.GetAfter())
				got := float64(wire.bytes.Load()) / float64(len(lines))
				t.Logf("%.1f bytes a line", got)
				require.LessOrEqual(t, got, tt.bytes)
				require.GreaterOrEqual(t, got, tt.bytes*0.9)
			})
		})
		fmt.Fprintf(table, "| %s | %.0f to %.0f |\n", tt.name, tt.bytes*0.9, tt.bytes)
	}
	golden.Section(t, "README.md", "bytes", table.String())
}

// receive reads what the log holds after req.After.
func receive(t *testing.T, c logsv1.LogServiceClient, req *logsv1.LogRequest, opts []grpc.CallOption) {
	stream, err := c.StreamLogs(t.Context(), req, opts...)
	require.NoError(t, err)
	for {
		e, err := stream.Recv()
		if err != nil {
			require.EqualError(t, err, "EOF")
			return
		}
		req.After = e.GetSequence()
	}
}
