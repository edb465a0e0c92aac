package errortexts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// statuses are what Recv, Send and open return.
var statuses = []text{
	{
		shows: `context canceled`,
		who:   "your client or your server",
		fix: "This is the error of a context, not a status. A handler's context ends with its call. " +
			"`errors.Is(err, context.Canceled)` finds this error and finds no status; for a status " +
			"use `status.Code`: {hops#what-the-contexts-say}.",
		produce: handling(func(stream echoServer) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}),
	},
	{
		shows: `EOF`,
		who:   "your server, your client or the network",
		fix: "From a client's `Send`: the call has ended; `CloseAndRecv` or the last `Recv` returns the reason: " +
			"{send-eof}. From a client's `Recv`: the handler returned nil. If messages are missing then, a " +
			"goroutine of the handler may have sent too late: {send-after-return}. From a handler's `Recv`: the " +
			"client has half-closed: {handler-returns-eof}.",
		produce: bubble(func(t *testing.T) error {
			stream := openEcho(t, pitfalltest.Dial(t, pitfalltest.Ends(nil)))
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
			synctest.Wait()
			return stream.Send(&pitfallsv1.Number{})
		}),
	},
	{
		shows: `rpc error: code = Canceled desc = context canceled`,
		who:   "your client or your server",
		fix: "1. Your client canceled the context of the stream, for example with a `defer cancel()` in the function " +
			"that opened it: {defer-cancel}. 2. In a handler: the call has ended, because the client canceled, was " +
			"late or has left, perhaps before its messages arrived, or the server stopped: {send-is-not-delivery}. 3. In a goroutine of a handler: the handler has returned: " +
			"{send-after-return}. 4. The server passes on the status of its own call to another server: " +
			"{hops#what-the-client-receives}.",
		produce: bubble(func(t *testing.T) error {
			return count(pitfalltest.Canceled(t.Context()), pitfalltest.Dial(t, &service.Server{}))
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = context deadline exceeded`,
		who:   "a deadline of your client or of your server",
		fix: "1. A timeout for one message limits the whole stream: {timeout-per-message}. 2. From opening a " +
			"stream: the deadline had passed before, DNS did not answer, or the connection has as many streams as the server allows: {stream-quota}. 3. The server is " +
			"gone and nothing else noticed: {dead-peer}. 4. The handler returned the error of a deadline of its " +
			"own: {hops#what-the-client-receives}.",
		produce: bubble(func(t *testing.T) error {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			_, passed := client.Echo(pitfalltest.WithTimeout(t, 0))
			_, unresolved := silentDNS(t).Echo(pitfalltest.WithTimeout(t, time.Second))
			stream, err := client.Echo(pitfalltest.WithTimeout(t, time.Second))
			require.NoError(t, err)
			network.Conn().HalfOpen() // otherwise the server may tell the client first
			_, err = stream.Recv()
			require.EqualError(t, passed, err.Error())
			require.EqualError(t, unresolved, err.Error())
			return err
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = stream terminated by RST_STREAM with error code: CANCEL`,
		who:   "your client's deadline",
		fix: "The deadline passed, and another timer, usually the server's, was faster than the client's. The meaning is the same " +
			"as for `context deadline exceeded`: {timeout-per-message}.",
		produce: bubble(func(t *testing.T) error {
			late := lateContext{t.Context(), time.Now().Add(time.Second)}
			sleeping := func(echoServer) error { time.Sleep(time.Hour); return nil }
			stream, err := pitfalltest.Dial(t, &service.Server{OnEcho: sleeping}).Echo(late)
			require.NoError(t, err)
			_, err = stream.Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = Internal desc = SendMsg called after CloseSend`,
		who:   "your client",
		fix: "1. One goroutine called `CloseSend` or `CloseAndRecv` while another one still sent: " +
			"{concurrent-closesend}. 2. The code took `CloseSend` for the end of one message or of the call: " +
			"{closesend-is-not-close}.",
		produce: bubble(func(t *testing.T) error {
			stream := openEcho(t, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, stream.CloseSend())
			return stream.Send(&pitfallsv1.Number{})
		}),
	},
	{
		shows: `rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: STREAM_CLOSED`,
		who:   "your client",
		fix:   "Usually, `CloseSend` overtook a `Send` that waited for the server to read: {concurrent-closesend}.",
		produce: func(t *testing.T) string {
			return pitfalltest.Process(t, func() { fmt.Println(bubble(closeSendDuringSend)(t)) })
		},
	},
	{
		shows: `max retries exhausted: failed after ... attempts: rpc error: code = Unavailable desc = ...`,
		who:   "your server or the network",
		fix: "All attempts of the retry policy failed, each before the server's header arrived. Look up the rest " +
			"of the text, which is from the last attempt: {retry-policy}.",
		produce: func(t *testing.T) string {
			attempts := 0
			got := counting(func(countServer) error {
				attempts++
				return status.Errorf(codes.Unavailable, "attempt %d", attempts)
			}, pitfalltest.RetryOnce())(t)
			require.True(t, strings.HasSuffix(got, "after 2 attempts: rpc error: code = Unavailable desc = attempt 2"), got)
			return got
		},
	},
	{
		shows: `rpc error: code = Unknown desc = ...`,
		who:   "your server",
		fix: "If no longer row fits and the text has no HTTP status: usually, the handler returned an error that is not a status. Return a status " +
			"with a code that you have chosen: {plain-error}.",
		produce: counting(func(countServer) error { return errors.New("boom") }),
	},
	{
		shows:   `rpc error: code = Internal desc =`,
		who:     "your server",
		fix:     "Usually, the handler returned a status without a message. Say in the message what is wrong.",
		produce: counting(func(countServer) error { return status.Error(codes.Internal, "") }),
	},
	{
		shows: `rpc error: code = Unknown desc = EOF`,
		who:   "your server",
		fix: "The handler returned an `io.EOF`, such as that of its `Recv`. Return nil when the client has half-closed: " +
			"{handler-returns-eof}.",
		produce: counting(func(countServer) error { return io.EOF }),
	},
}

// A lateContext has a deadline and does not end there: the timer of the
// server is faster than that of the client.
type lateContext struct {
	context.Context
	deadline time.Time
}

// Deadline implements [context.Context].
func (c lateContext) Deadline() (time.Time, bool) { return c.deadline, true }

// silentDNS returns a client whose resolver never has an answer.
func silentDNS(t *testing.T) pitfallsv1.PitfallServiceClient {
	conn, err := grpc.NewClient("silent:///", withInsecure, grpc.WithResolvers(manual.NewBuilderWithScheme("silent")))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return pitfallsv1.NewPitfallServiceClient(conn)
}

// closeSendDuringSend calls CloseSend while a Send waits for a server that
// reads later, and returns the error of Recv.
func closeSendDuringSend(t *testing.T) error {
	client := pitfalltest.Dial(t, &service.Server{OnEcho: func(stream echoServer) error {
		time.Sleep(time.Second)
		_, err := service.Values(stream)
		time.Sleep(time.Second) // until the Send has arrived, too
		return err
	}})
	stream := openEcho(t, client)
	closed := false
	sender := pitfalltest.Go(func() error {
		for !closed {
			if err := stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)}); err != nil {
				return err
			}
		}
		return nil
	})
	sender.StillRuns(t, time.Second/2)
	closed = true
	require.NoError(t, stream.CloseSend())
	require.NoError(t, sender.Err())
	_, err := stream.Recv()
	return err
}
