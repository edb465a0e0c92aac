package errorcontract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// handlerMistakes end an RPC in another way than the handler meant.
var handlerMistakes = []termination{
	{name: "returns an error without a status", end: handlerDoes(returns(errors.New("no such number")))},
	{name: "returns io.EOF", end: handlerDoes(returns(io.EOF))},
	{name: "returns the error of its context", end: handlerDoes(returns(context.Canceled))},
	{name: "returns a status with the code OK", end: handlerDoes(returns(okError{}))},
	{name: "sends a message that cannot be marshaled", fails: "handler Send",
		end: func(f *fixture) error { return f.handler.SendMsg(notUTF8) }},
	{name: "sends a message that cannot be unmarshaled", fails: "Recv", end: func(f *fixture) error {
		f.must(f.handler.SendMsg(undecodable()))
		f.settle()
		return f.client.recv()
	}},
	{name: "sets trailers above the client's limit", end: handlerDoes(func(h *serverEnd) error {
		h.SetTrailer(metadata.Pairs("extra", strings.Repeat("x", headerLimit)))
		return nil
	}), dialOptions: []grpc.DialOption{grpc.WithMaxHeaderListSize(headerLimit)}},
}

// clientMistakes end an RPC in the client, or make the server end it.
var clientMistakes = []termination{
	{name: "sends a message that cannot be marshaled", fails: "Send",
		end: func(f *fixture) error { return f.client.SendMsg(notUTF8) }},
	{name: "sends a message that cannot be unmarshaled", fails: "handler Recv", end: func(f *fixture) error {
		f.must(f.client.SendMsg(undecodable()))
		f.settle()
		return f.handler.recv()
	}},
	{name: "uses up its retries", fails: "Send", beforeFirst: true, dialOptions: retrying("0.001s"), answer: unavailable,
		end: sendUntilError},
}

// clientStreamMistakes are about the only response of a client stream.
var clientStreamMistakes = []termination{
	{name: "the handler returns nil without SendAndClose", end: handlerDoes(returns(nil))},
	{name: "the handler calls SendAndClose twice", end: func(f *fixture) error {
		return errors.Join(f.handler.send(small), f.handler.send(small))
	}},
	{name: "the client goes on after CloseAndRecv", end: func(f *fixture) error {
		f.acts <- sendLast
		f.must(f.client.recv())
		return nil
	}},
}

// headerLimit is the size of a header list, in bytes.
const headerLimit = 1000

// notUTF8 is a message that proto.Marshal refuses.
var notUTF8 = &healthv1.HealthCheckRequest{Service: "\xff"}

// undecodable returns a message whose bytes proto.Unmarshal refuses.
func undecodable() *pitfallsv1.Number {
	m := &pitfallsv1.Number{}
	m.ProtoReflect().SetUnknown([]byte{0xff})
	return m
}

// okError is an error with a status that is not one.
type okError struct{}

func (okError) Error() string              { return "done" }
func (okError) GRPCStatus() *status.Status { return status.New(codes.OK, "done") }

func returns(err error) func(*serverEnd) error { return func(*serverEnd) error { return err } }

func sendUntilError(f *fixture) error {
	for {
		f.settle()
		if err := f.client.send(small); err != nil {
			return err
		}
	}
}

func unavailable(p *peer) {
	p.headers(true, ":status", "200", "content-type", "application/grpc", "grpc-status", "14", "grpc-message", "overloaded")
}

func retrying(backoff string) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultServiceConfig(fmt.Sprintf(`{"methodConfig": [{"name": [{}], "retryPolicy": {
		"maxAttempts": 3, "initialBackoff": %[1]q, "maxBackoff": %[1]q, "backoffMultiplier": 1,
		"retryableStatusCodes": ["UNAVAILABLE"]}}]}`, backoff))}
}
