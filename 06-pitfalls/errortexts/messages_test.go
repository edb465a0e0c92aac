package errortexts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// messages are what gRPC says about a message, a header or credentials.
var messages = []text{
	{
		shows: `rpc error: code = Internal desc = grpc: Compressor is not installed for requested grpc-encoding "..."`,
		who:   "your client",
		fix: "`grpc.UseCompressor` names a compressor that this process has not registered. Import its package, such as " +
			"`google.golang.org/grpc/encoding/gzip`, in the client and in the server.",
		produce: counting(sendNothing, grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip"))),
	},
	{
		shows: `rpc error: code = Internal desc = grpc: error while marshaling: string field contains invalid UTF-8`,
		who:   "the side that sends: your client or your server",
		fix: "A `string` field holds bytes that are not UTF-8. Make the field `bytes`, or replace the bytes " +
			"where they enter your program: {02-server-stream#lines-you-did-not-expect}.",
		produce: sending(wrapperspb.String("\xff")),
	},
	{
		shows: `rpc error: code = Internal desc = grpc: failed to unmarshal the received message: proto:...cannot parse invalid wire-format data`,
		who:   "the side that sends, or your code that receives: client or server",
		fix: "1. Two goroutines call `Recv`: {concurrent-recv}. 2. `Recv` was called again after an error: " +
			"{recv-after-error}. 3. The peer sent a message of another type: compare the protos.",
		produce: sending(invalid()),
	},
	{
		shows:   `rpc error: code = Internal desc = grpc: failed to unmarshal the received message: string field contains invalid UTF-8`,
		who:     "the side that sends: your client or your server",
		fix:     "For example, the sender's proto has `bytes` where the receiver's has `string`. Compare the protos.",
		produce: receivingInvalidUTF8,
	},
	{
		shows: `rpc error: code = Internal desc = header key "..." contains illegal characters not in [0-9a-z-_.]`,
		who:   "the side that sends: your client or your server",
		fix: "A key of the metadata has a character that is not allowed. Rename the key. `metadata.Pairs` and " +
			"`metadata.New` change uppercase letters to lowercase. On the server, `SetHeader` and `SendHeader` " +
			"return this error.",
		produce: withMetadata(metadata.MD{"User Name": {"ann"}}),
	},
	{
		shows: `rpc error: code = Internal desc = header key "..." contains value with non-printable ASCII characters`,
		who:   "the side that sends: your client or your server",
		fix: "A value of the metadata must be printable ASCII, unless its key ends in `-bin`. Give the key this suffix, " +
			"or put the text into a message.",
		produce: withMetadata(metadata.Pairs("user", "Zoë")),
	},
	{
		shows: `rpc error: code = Internal desc = header list size to send violates the maximum size (... bytes) set by server`,
		who:   "your client",
		fix: "The metadata of the call is larger than the server, or a proxy before it, allows. Send less, or raise " +
			"`grpc.MaxHeaderListSize` on the server.",
		produce: withMetadata(metadata.Pairs("user", strings.Repeat("x", 1<<20)), grpc.MaxHeaderListSize(1<<16)),
	},
	{
		shows: `rpc error: code = Internal desc = transport: trying to send header list size larger than the limit set by peer`,
		who:   "your server",
		fix: "`SendHeader`, or the first `Send` after `SetHeader`, was given more than the client allows. The client sees RST_STREAM with " +
			"INTERNAL_ERROR. Send less, or raise `grpc.WithMaxHeaderListSize` on the client.",
		produce: func(t *testing.T) string {
			first := func(stream countServer, md metadata.MD) error {
				return errors.Join(stream.SetHeader(md), stream.Send(&pitfallsv1.Number{}))
			}
			got := sendingHeader(first)(t)
			require.Equal(t, got, sendingHeader(countServer.SendHeader)(t))
			return got
		},
	},
	{
		shows: `rpc error: code = Internal desc = transport: SendHeader called multiple times`,
		who:   "your server",
		fix: "1. `SendHeader` or `SetHeader` was called after the first `Send`, or after `SendHeader`. 2. Two " +
			"goroutines call `Send`, and both send the header: {concurrent-send}.",
		produce: counting(func(stream countServer) error {
			err := stream.Send(&pitfallsv1.Number{})
			twice := stream.SendHeader(nil)
			if err == nil && stream.SetHeader(metadata.Pairs("user", "ann")).Error() == twice.Error() {
				return twice
			}
			return errors.New("want the same error of SendHeader and SetHeader")
		}),
	},
	{
		shows: `rpc error: code = Internal desc = transport: per-RPC creds failed due to error: ...`,
		who:   "your client",
		fix: "The credentials of this call could not get a token; no request was sent. The code is Internal for " +
			"`grpc.PerRPCCredentials` and Unauthenticated for `grpc.WithPerRPCCredentials`. A status " +
			"PermissionDenied that `GetRequestMetadata` returns replaces it.",
		produce: counting(sendNothing, grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(noToken{}))),
	},
	{
		shows: `rpc error: code = ResourceExhausted desc = grpc: received message larger than max (... vs. ...)`,
		who:   "the side that sends: your client or your server",
		fix: "The message is larger than the receiver allows, by default 4 MiB. Send chunks, or raise the limit " +
			"of the receiver: {receive-limit}. Do not call `Recv` again: {recv-after-error}.",
		produce: counting(sendBig, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(9))),
	},
	{
		shows: `rpc error: code = ResourceExhausted desc = trying to send message larger than max (... vs. ...)`,
		who:   "the side that sends: your client or your server",
		fix: "The message is larger than the sender's own limit, `MaxCallSendMsgSize` or `MaxSendMsgSize`. Send " +
			"chunks: {receive-limit}.",
		produce: counting(sendBig, grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1))),
	},
	{
		shows: `rpc error: code = Unauthenticated desc = transport: per-RPC creds failed due to error: ...`,
		who:   "your client",
		fix: "The credentials of the connection could not get a token; no request was sent, and the server has " +
			"refused nothing. A status PermissionDenied that `GetRequestMetadata` returns replaces this one.",
		produce: counting(sendNothing, grpc.WithPerRPCCredentials(noToken{})),
	},
	{
		shows: `rpc error: code = Unauthenticated desc = transport: cannot send secure credentials on an insecure connection`,
		who:   "your client",
		fix: "The credentials of this call require a secure connection, such as TLS; no request was sent, and the server has refused " +
			"nothing. Use `credentials.NewTLS`; `RequireTransportSecurity` of the credentials decides.",
		produce: counting(sendNothing, grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(secureToken{}))),
	},
	{
		shows: `rpc error: code = Unimplemented desc = grpc: Decompressor is not installed for grpc-encoding "..."`,
		who:   "your server",
		fix: "The client compresses with a method that the server has not registered. Import its package, such as " +
			"`google.golang.org/grpc/encoding/gzip`, in the server.",
		produce: counting(sendNothing, grpc.WithCompressor(grpc.NewGZIPCompressor())), //nolint:staticcheck // the only way to compress with what this process, the server, has not registered
	},
}

// The server's own metadata is checked like the client's.
func TestSetHeader_ChecksMetadataToo(t *testing.T) {
	for says, md := range map[string]metadata.MD{
		"illegal characters":  {"User Name": {"ann"}},
		"non-printable ASCII": metadata.Pairs("user", "Zoë"),
		"<nil>":               metadata.Join(metadata.Pairs("User", "ann", "user-bin", "Zoë\n"), metadata.New(map[string]string{"Name": "ann"})),
		`key "User" contains`: {"User": {"ann"}},
	} {
		for _, set := range []func(countServer, metadata.MD) error{countServer.SetHeader, countServer.SendHeader} {
			got := counting(func(stream countServer) error { return errors.New(fmt.Sprint(set(stream, md))) })(t)
			require.Contains(t, got, says)
		}
	}
}

func TestSend_OfAServerHasALimitToo(t *testing.T) {
	got := bubble(func(t *testing.T) error {
		server := pitfalltest.Serve(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream countServer) error {
			return sendBig(stream)
		}}, grpc.MaxSendMsgSize(9))
		return count(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
	})(t)
	require.Regexp(t, `code = ResourceExhausted desc = trying to send message larger than max \(\d+ vs. 9\)$`, got)
}

// The second Recv reads the content of a message that the first one has
// refused: messages of one byte, which is no message.
func TestRecv_AfterAnErrorReadsWhatNobodySent(t *testing.T) {
	row := messages[slices.IndexFunc(messages, func(row text) bool { return strings.Contains(row.fix, "{recv-after-error}") })]
	got := bubble(func(t *testing.T) error {
		client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream countServer) error {
			return stream.Send(&pitfallsv1.Number{Padding: bytes.Repeat([]byte{0, 0, 0, 0, 1, 0}, 1<<20)})
		}})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorContains(t, err, "received message larger than max")
		for range 10 { // the first bytes are read as lengths
			if _, err = stream.Recv(); row.matches(err.Error()) {
				break
			}
		}
		return err
	})(t)
	require.True(t, row.matches(got), got)
}

// No request is sent without a token, and a status of the token's source
// replaces the code.
func TestToken_FailsBeforeARequestIsSent(t *testing.T) {
	for want, token := range map[string]credentials.PerRPCCredentials{
		"no token":                     noToken{},
		"insecure connection":          secureToken{},
		"code = PermissionDenied desc": deniedToken{},
	} {
		for _, opt := range []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(token)), grpc.WithPerRPCCredentials(token),
		} {
			if token == (secureToken{}) {
				opt = grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(token)) // NewClient refuses the other one
			}
			calls := 0
			got := counting(func(countServer) error { calls++; return nil }, opt)(t)
			require.Contains(t, got, want)
			require.Zero(t, calls)
		}
	}
}

func sendNothing(countServer) error { return nil }

func sendBig(stream countServer) error {
	return stream.Send(&pitfallsv1.Number{Padding: make([]byte, 100)})
}

// noToken is a source of tokens that has none.
type noToken struct{}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (noToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, errors.New("no token")
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (noToken) RequireTransportSecurity() bool { return false }

// deniedToken is a source of tokens that refuses them.
type deniedToken struct{ noToken }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (deniedToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, status.Error(codes.PermissionDenied, "denied")
}

// invalid returns a message whose encoding no message has.
func invalid() proto.Message {
	m := new(pitfallsv1.CountRequest)
	m.ProtoReflect().SetUnknown([]byte{0xff})
	return m
}

// sendingHeader returns a producer of the error of send, which is given a
// header that is larger than the client allows.
func sendingHeader(send func(countServer, metadata.MD) error) func(*testing.T) string {
	md := metadata.Pairs("user", strings.Repeat("x", 1<<10))
	return bubble(func(t *testing.T) error {
		sent := make(chan error, 1)
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream countServer) error {
				err := send(stream, md)
				sent <- err
				return err
			},
		}, grpc.WithMaxHeaderListSize(1<<10))
		require.ErrorContains(t, count(t.Context(), client), "INTERNAL_ERROR")
		return <-sent
	})
}

// sending returns a producer of the error that a call of Count with the
// request m ends with.
func sending(m proto.Message) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		conn := pitfalltest.Serve(t, &service.Server{}).Dial(t)
		return conn.Invoke(t.Context(), pitfallsv1.PitfallService_Count_FullMethodName, m, &pitfallsv1.Number{})
	})
}

// receivingInvalidUTF8 sends bytes to a client that expects a string.
func receivingInvalidUTF8(t *testing.T) string {
	return bubble(func(t *testing.T) error {
		conn := pitfalltest.Serve(t, &service.Server{}, grpc.UnknownServiceHandler(
			func(_ any, stream grpc.ServerStream) error { return stream.SendMsg(wrapperspb.Bytes([]byte{0xff})) },
		)).Dial(t)
		return conn.Invoke(t.Context(), "/other/Method", &pitfallsv1.Number{}, &wrapperspb.StringValue{})
	})(t)
}

// withMetadata returns a producer of the error of a Count with this metadata.
func withMetadata(md metadata.MD, opts ...grpc.ServerOption) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		conn := pitfalltest.Serve(t, &service.Server{}, opts...).Dial(t)
		client := pitfallsv1.NewPitfallServiceClient(conn)
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err) // now the client knows the server's limits
		return count(metadata.NewOutgoingContext(t.Context(), md), client)
	})
}
