package logs

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestTail_BreakCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		client, ends := dialEnds(t, log)
		start := time.Now()

		for e, err := range Tail(t.Context(), client, &logsv1.LogRequest{Follow: true}) {
			require.NoError(t, err)
			require.EqualValues(t, 1, e.GetSequence())
			break
		}

		end := <-ends
		require.Equal(t, codes.Canceled, status.Code(end.err), "the handler returned %v", end.err)
		require.Zero(t, end.at.Sub(start))
	})
}

func TestTail_YieldsTheStatusAsTheLastPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 1)
		log.Drain()
		var pairs []string
		for e, err := range Tail(t.Context(), dial(t, &LogServer{Log: log}), &logsv1.LogRequest{Follow: true}) {
			pairs = append(pairs, e.GetMessage()+" "+status.Code(err).String())
		}
		require.Equal(t, []string{"line 1 OK", " Unavailable"}, pairs)
	})
}

func TestTail_ResumesEachEntryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		client := dial(t, &LogServer{Log: log})
		var got []uint64
		for round := range 20 {
			appendLines(log, 13)
			n := 0
			for e, err := range Tail(t.Context(), client, &logsv1.LogRequest{After: uint64(len(got))}) {
				require.NoError(t, err)
				if n++; n > round {
					break // before the entry counts as received
				}
				got = append(got, e.GetSequence())
			}
		}
		require.Equal(t, between(1, uint64(len(got))), got)
		require.Greater(t, len(got), 100)
	})
}

// The client of a server stream has sent its one request, so that CloseSend
// has nothing to close.
func TestCloseSend_DoesNotEndTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, ends := dialEnds(t, NewLog(10))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		require.NoError(t, stream.CloseSend())
		time.Sleep(24 * time.Hour)
		require.Empty(t, ends, "handlers that have returned")
		cancel()
		require.Equal(t, codes.Canceled, status.Code((<-ends).err))
	})
}

// StreamLogs does not wait for the handler. It fails, for example, if there is
// no connection.
func TestStreamLogs_StatusComesFromRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := dial(t, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error {
			time.Sleep(time.Hour)
			return status.Error(codes.OutOfRange, "refused")
		}})
		stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)

		conn, err := grpc.NewClient("passthrough:///nowhere", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
				return nil, errors.New("no such server")
			}))
		require.NoError(t, err)
		defer conn.Close()
		_, err = logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "no such server")
	})
}

func TestHandler_ThatReturnsEOFIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error { return io.EOF }})
		_, err := sequences(t.Context(), client, &logsv1.LogRequest{}, 0)
		require.EqualError(t, err, "rpc error: code = Unknown desc = EOF")
	})
}
