package errortexts

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// methods are what the two sides say if they do not have the same method.
var methods = []text{
	{
		shows: `rpc error: code = Internal desc = cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message`,
		who:   "your server",
		fix: "The handler sent more than one response to a call that takes one. Call `SendAndClose` once: " +
			"{missing-response}.",
		produce: summing(func(stream sumServer) error {
			return errors.Join(stream.SendMsg(&pitfallsv1.SumResponse{}), stream.SendMsg(&pitfallsv1.SumResponse{}))
		}),
	},
	{
		shows: `rpc error: code = Internal desc = cardinality violation: received multiple request messages for non-client-streaming RPC`,
		who:   "your client",
		fix: "The client sent more than one request to a method that takes one. Generate client and server " +
			"from the same proto.",
		produce: requesting(2),
	},
	{
		shows:   `rpc error: code = Internal desc = cardinality violation: received no request message from non-client-streaming RPC`,
		who:     "your client",
		fix:     "The client half-closed without a request. Generate client and server from the same proto.",
		produce: requesting(0),
	},
	{
		shows:   `rpc error: code = Internal desc = cardinality violation: received no response message from non-server-streaming RPC`,
		who:     "your server",
		fix:     "Usually, the handler of a client stream returned nil without `SendAndClose`: {missing-response}.",
		produce: summing(func(sumServer) error { return nil }),
	},
	{
		shows: `rpc error: code = Unimplemented desc = method ... not implemented`,
		who:   "your server",
		fix: "The type of your server lacks this method, or has it under another name, and inherits the one " +
			"of the `Unimplemented` type that it embeds. Opening a stream does not ask the server, " +
			"and so does not return this error: {open-is-not-accepted}.",
		produce: bubble(func(t *testing.T) error {
			conn := memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
				pitfallsv1.RegisterPitfallServiceServer(s, pitfallsv1.UnimplementedPitfallServiceServer{})
			})
			_, err := openEcho(t, pitfallsv1.NewPitfallServiceClient(conn)).Recv()
			return err
		}),
	},
	{
		shows: `rpc error: code = Unimplemented desc = unknown method ... for service ...`,
		who:   "your server",
		fix: "The server has the service without this method, for example from an older proto. Deploy servers before clients: " +
			"{open-is-not-accepted}.",
		produce: calling("/pitfalls.v1.PitfallService/Watch"),
	},
	{
		shows: `rpc error: code = Unimplemented desc = unknown service ...`,
		who:   "your server",
		fix: "The server that answered has not registered this service, for example because of a wrong port, a wrong package in the " +
			"proto, or a missing call of the generated `Register` function: {open-is-not-accepted}.",
		produce: calling("/pitfalls.v2.PitfallService/Echo"),
	},
}

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
