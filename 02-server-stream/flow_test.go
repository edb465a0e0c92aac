package serverstream

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/bufnet"
)

// Send does not wait for the client to read, until flow control does: what
// the client has not read fills the stream's flow-control window, and what
// the server has not written fills the stream's write quota of 64 KiB
// (defaultWriteQuota in grpc-go's internal/transport).
func TestSendBlocksWhenAClientDoesNotRead(t *testing.T) {
	const kib = 1 << 10
	for _, tt := range []struct {
		name     string
		opt      grpc.DialOption
		min, max int // messages of 1 KiB, which are 1,032 bytes on the wire
	}{
		{"64 KiB of window and 64 KiB of quota", grpc.WithStaticStreamWindowSize(64 * kib), 128, 129},
		{"a larger window", grpc.WithStaticStreamWindowSize(1024 * kib), 1080, 1081},
		// By default the client doubles the window, at most once, when it
		// sees the first 64 KiB arrive quickly.
		{"by default", grpc.EmptyDialOption{}, 128, 193},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				server := bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
					reportv1.RegisterReportServiceServer(s, reportFunc{handle: func(stream grpc.ServerStreamingServer[reportv1.ReportChunk]) error {
						for {
							if err := stream.Send(&reportv1.ReportChunk{Data: make([]byte, kib)}); err != nil {
								return err
							}
							sent++
						}
					}})
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := reportv1.NewReportServiceClient(server.Dial(t, tt.opt)).GenerateReport(ctx, &reportv1.ReportRequest{})
				require.NoError(t, err)

				synctest.Wait() // until the handler is blocked in Send

				require.GreaterOrEqual(t, sent, tt.min, "messages sent")
				require.LessOrEqual(t, sent, tt.max, "messages sent")
			})
		})
	}
}
