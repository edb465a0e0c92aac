package errorcontract

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
)

// unopened are reasons for which no stream opens.
var unopened = []termination{
	notOpened("the context is canceled", canceling()),
	notOpened("the client has closed its connection", closing()),
	notOpened("the resolver fails", grpc.WithResolvers(failingResolver())),
	{name: "nobody listens", unopened: true, nobody: true},
	{name: "nobody listens, WaitForReady", unopened: true, nobody: true, dialOptions: waitForReady()},
	{name: "nobody listens, WaitForReady and a deadline", unopened: true, nobody: true, timeout: true,
		dialOptions: waitForReady()},
	{name: "the server speaks HTTP/1.1", unopened: true, hello: "HTTP/1.1 400 Bad Request\r\n\r\n"},
	notOpened("credentials of the connection fail", grpc.WithPerRPCCredentials(token{errors.New("no token")})),
	notOpened("credentials of the call fail", credentialsOfCall(errors.New("no token"))),
	notOpened("credentials fail with PermissionDenied", credentialsOfCall(status.Error(codes.PermissionDenied, "no token"))),
	notOpened("credentials fail with NotFound", credentialsOfCall(notFound)),
	notOpened("credentials of the call need TLS", grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(secret{}))),
	notOpened("metadata is not allowed", outgoing("naïve", "1")),
	notOpened("the compressor is unknown", grpc.WithDefaultCallOptions(grpc.UseCompressor("zip"))),
	notOpened("the content-subtype is unknown", grpc.WithDefaultCallOptions(grpc.CallContentSubtype("yaml"))),
	{name: "metadata above the server's limit", unopened: true,
		serverOptions: []grpc.ServerOption{grpc.MaxHeaderListSize(headerLimit)},
		dialOptions:   []grpc.DialOption{outgoing("extra", strings.Repeat("x", headerLimit))}},
	notOpened("an interceptor returns an error without a status", failing(errors.New("not today"))),
	notOpened("the request is too large", grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1))),
	notOpened("the request cannot be marshaled", grpc.WithDefaultCallOptions(grpc.ForceCodecV2(failingCodec{}))),
}

func notOpened(name string, options ...grpc.DialOption) termination {
	return termination{name: name, unopened: true, dialOptions: options}
}

// around returns an interceptor that opens streams with open.
func around(open func(context.Context, *grpc.ClientConn) (context.Context, error)) grpc.DialOption {
	return grpc.WithStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn,
		method string, next grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx, err := open(ctx, cc)
		if err != nil {
			return nil, err
		}
		return next(ctx, desc, cc, method, opts...)
	})
}

func canceling() grpc.DialOption {
	return around(func(ctx context.Context, _ *grpc.ClientConn) (context.Context, error) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, nil
	})
}

func closing() grpc.DialOption {
	return around(func(ctx context.Context, cc *grpc.ClientConn) (context.Context, error) { return ctx, cc.Close() })
}

func outgoing(key, value string) grpc.DialOption {
	return around(func(ctx context.Context, _ *grpc.ClientConn) (context.Context, error) {
		return metadata.AppendToOutgoingContext(ctx, key, value), nil
	})
}

func failing(err error) grpc.DialOption {
	return around(func(ctx context.Context, _ *grpc.ClientConn) (context.Context, error) { return ctx, err })
}

func waitForReady() []grpc.DialOption { return callOption(grpc.WaitForReady(true)) }

func credentialsOfCall(err error) grpc.DialOption {
	return grpc.WithDefaultCallOptions(grpc.PerRPCCredentials(token{err}))
}

// A token is a credential that fails.
type token struct{ err error }

func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, t.err
}
func (token) RequireTransportSecurity() bool { return false }

// A secret is a credential that asks for an encrypted connection.
type secret struct{ token }

func (secret) RequireTransportSecurity() bool { return true }

// A failingCodec marshals nothing.
type failingCodec struct{ encoding.CodecV2 }

func (failingCodec) Name() string                         { return "failing" }
func (failingCodec) Marshal(any) (mem.BufferSlice, error) { return nil, errors.New("not today") }

func failingResolver() resolver.Builder {
	b := manual.NewBuilderWithScheme("passthrough")
	b.BuildCallback = func(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) {
		cc.ReportError(errors.New("no such host"))
	}
	return b
}
