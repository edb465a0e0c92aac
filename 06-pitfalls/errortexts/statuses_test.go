package errortexts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// statuses are how calls end while the connection works.
var statuses = []text{
	{
		shows: `context canceled`,
		who:   "your client or your server",
		fix:   "This is the error of a context, not a status. A handler's context ends with its call, however the call ends. `errors.Is(err, context.Canceled)` finds this error and finds no status; for a status use `status.Code`: {05-cancellation#who-ended-it}.",
		produce: handling(func(stream echoServer) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}),
	},
	{
		shows: `EOF`,
		who:   "your server",
		fix:   "From `Send`: the server has ended the call; `Recv` or `CloseAndRecv` returns the reason: {send-eof}. From `Recv`: the handler returned nil. If messages are missing then, a goroutine of the handler may have sent too late: {send-after-return}.",
		produce: bubble(func(t *testing.T) error {
			stream := openEcho(t, pitfalltest.Dial(t, pitfalltest.Ends(nil)))
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
			synctest.Wait()
			return stream.Send(&pitfallsv1.Number{})
		}),
	},
	{
		shows: `rpc error: code = Canceled desc = context canceled`,
		who:   "your client",
		fix:   "1. Your client canceled the context of the stream, often with a `defer cancel()` in the function that opened it: {defer-cancel}. 2. In a handler: the client has left, perhaps before its messages arrived: {send-is-not-delivery}. 3. In a goroutine of a handler: the handler has returned: {send-after-return}. 4. The server passes on the status of its own call to another server: {05-cancellation#who-ended-it}.",
		produce: bubble(func(t *testing.T) error {
			return count(pitfalltest.Canceled(t.Context()), pitfalltest.Dial(t, &service.Server{}))
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = context deadline exceeded`,
		who:   "your client's deadline",
		fix:   "1. A timeout for one message limits the whole stream: {timeout-per-message}. 2. From opening a stream: the connection has as many streams as the server allows: {stream-quota}. 3. The server is gone and nothing else noticed: {dead-peer}. 4. The handler returned the error of a deadline of its own: {05-cancellation#who-ended-it}.",
		produce: bubble(func(t *testing.T) error {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			stream, err := client.Echo(pitfalltest.WithTimeout(t, time.Second))
			require.NoError(t, err)
			network.Conn().HalfOpen() // otherwise the server may tell the client first
			_, err = stream.Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = DeadlineExceeded desc = stream terminated by RST_STREAM with error code: CANCEL`,
		who:   "your client's deadline",
		fix:   "The deadline passed, and the server's timer was faster than the client's. The meaning is the same as for `context deadline exceeded`: {timeout-per-message}.",
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
		shows: `rpc error: code = Internal desc = cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message`,
		who:   "your server",
		fix:   "The handler sent more than one response to a call that takes one. Call `SendAndClose` once: {missing-response}.",
		produce: summing(func(stream sumServer) error {
			return errors.Join(stream.SendMsg(&pitfallsv1.SumResponse{}), stream.SendMsg(&pitfallsv1.SumResponse{}))
		}),
	},
	{
		shows:   `rpc error: code = Internal desc = cardinality violation: received multiple request messages for non-client-streaming RPC`,
		who:     "your client",
		fix:     "The client sent more than one request to a method that takes one. Client and server were generated from different protos; generate both again.",
		produce: requesting(2),
	},
	{
		shows:   `rpc error: code = Internal desc = cardinality violation: received no request message from non-client-streaming RPC`,
		who:     "your client",
		fix:     "The client half-closed without a request. Client and server were generated from different protos; generate both again.",
		produce: requesting(0),
	},
	{
		shows:   `rpc error: code = Internal desc = cardinality violation: received no response message from non-server-streaming RPC`,
		who:     "your server",
		fix:     "The handler of a client stream returned nil without `SendAndClose`: {missing-response}.",
		produce: summing(func(sumServer) error { return nil }),
	},
	{
		shows: `rpc error: code = Internal desc = SendMsg called after CloseSend`,
		who:   "your client",
		fix:   "1. One goroutine called `CloseSend` or `CloseAndRecv` while another one still sent: {concurrent-closesend}. 2. The code took `CloseSend` for the end of one message or of the call: {closesend-is-not-close}.",
		produce: bubble(func(t *testing.T) error {
			stream := openEcho(t, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, stream.CloseSend())
			return stream.Send(&pitfallsv1.Number{})
		}),
	},
	{
		shows: `rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: STREAM_CLOSED`,
		who:   "your client",
		fix:   "`CloseSend` overtook a `Send` that waited for the server to read: {concurrent-closesend}.",
		produce: func(t *testing.T) string {
			return pitfalltest.Process(t, func() { fmt.Println(bubble(closeSendDuringSend)(t)) })
		},
	},
	{
		shows: `max retries exhausted: failed after ... attempts: rpc error: code = Unavailable desc = ...`,
		who:   "your server or the network",
		fix:   "All attempts of the retry policy failed, each before the server's header arrived. Look up the rest of the text, which is from the last attempt: {retry-policy}.",
		produce: counting(func(countServer) error { return status.Error(codes.Unavailable, "restarting") },
			grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {
				"maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
				"retryableStatusCodes": ["UNAVAILABLE"]}}]}`)),
	},
	{
		shows: `rpc error: code = Unimplemented desc = method ... not implemented`,
		who:   "your server",
		fix:   "The type of your server lacks this method, or has it with another signature, and inherits the one of the `Unimplemented` type that it embeds. The error comes from `Recv`, because opening a stream does not ask the server: {open-is-not-accepted}.",
		produce: bubble(func(t *testing.T) error {
			conn := memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
				pitfallsv1.RegisterPitfallServiceServer(s, pitfallsv1.UnimplementedPitfallServiceServer{})
			})
			_, err := openEcho(t, pitfallsv1.NewPitfallServiceClient(conn)).Recv()
			return err
		}),
	},
	{
		shows:   `rpc error: code = Unimplemented desc = unknown method ... for service ...`,
		who:     "your server",
		fix:     "The server was built from an older proto than the client. Deploy servers before clients: {open-is-not-accepted}.",
		produce: calling("/pitfalls.v1.PitfallService/Watch"),
	},
	{
		shows:   `rpc error: code = Unimplemented desc = unknown service ...`,
		who:     "your server",
		fix:     "The server that answered has not registered this service: a wrong port, a wrong package in the proto, or a missing call of the generated `Register` function: {open-is-not-accepted}.",
		produce: calling("/pitfalls.v2.PitfallService/Echo"),
	},
	{
		shows:   `rpc error: code = Unknown desc = ...`,
		who:     "your server",
		fix:     "The handler returned an error that is not a status; its text follows `desc =`. Return a status with a code that you have chosen: {plain-error}.",
		produce: counting(func(countServer) error { return errors.New("boom") }),
	},
	{
		shows:   `rpc error: code = Internal desc =`,
		who:     "your server",
		fix:     "The handler returned a status without a message. Say in the message what is wrong. If you have no such handler, see `Unknown desc =` in the table of proxies.",
		produce: counting(func(countServer) error { return status.Error(codes.Internal, "") }),
	},
	{
		shows:   `rpc error: code = Unknown desc = EOF`,
		who:     "your server",
		fix:     "The handler returned the `io.EOF` of its `Recv`. Return nil when the client has half-closed: {handler-returns-eof}.",
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

// summing returns a producer of the error of a Sum whose handler is handle.
func summing(handle func(sumServer) error) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		_, err := pitfalltest.Sum(t, pitfalltest.Dial(t, &service.Server{OnSum: handle}))
		return err
	})
}

// calling returns a producer of the error that a call of method ends with.
func calling(method string) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		conn := pitfalltest.Serve(t, &service.Server{}).Dial(t)
		return conn.Invoke(t.Context(), method, &pitfallsv1.Number{}, &pitfallsv1.Number{})
	})
}

// requesting returns a producer of the error of a Count to which the client
// sends n requests.
func requesting(n int) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		conn := pitfalltest.Serve(t, &service.Server{}).Dial(t)
		both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		stream, err := conn.NewStream(t.Context(), both, pitfallsv1.PitfallService_Count_FullMethodName)
		require.NoError(t, err)
		for range n {
			require.NoError(t, stream.SendMsg(&pitfallsv1.CountRequest{To: 1}))
		}
		require.NoError(t, stream.CloseSend())
		return stream.RecvMsg(&pitfallsv1.Number{})
	})
}

// closeSendDuringSend calls CloseSend while a Send waits for a server that
// reads later, and returns the error of Recv.
func closeSendDuringSend(t *testing.T) error {
	client := pitfalltest.Dial(t, &service.Server{OnEcho: func(stream echoServer) error {
		time.Sleep(time.Second)
		_, err := service.Values(stream)
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
