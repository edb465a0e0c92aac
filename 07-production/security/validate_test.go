package security

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// The handler of this test answers each message, as a bidi stream can.
func TestValidate_ChecksEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := func(_ any, stream grpc.ServerStream) error {
			for {
				req := new(logsv1.LogRequest)
				if err := stream.RecvMsg(req); err != nil {
					return err
				}
				if err := stream.SendMsg(new(logsv1.LogEntry)); err != nil {
					return err
				}
			}
		}
		server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {},
			grpc.ChainStreamInterceptor(Validate), grpc.UnknownServiceHandler(answer))
		stream, err := server.Dial(t).NewStream(t.Context(),
			&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/any/Method")
		require.NoError(t, err)
		send := func(contains string) error {
			require.NoError(t, stream.SendMsg(&logsv1.LogRequest{Contains: contains}))
			return stream.RecvMsg(new(logsv1.LogEntry))
		}
		require.NoError(t, send(""))
		require.NoError(t, send(strings.Repeat("x", MaxContains)))

		err = send(strings.Repeat("x", MaxContains+1))
		require.Equal(t, codes.InvalidArgument, status.Code(err), "got %v", err)
		require.Equal(t, "contains: must have at most 256 bytes, got 257", status.Convert(err).Message())
	})
}
