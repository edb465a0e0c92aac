package upload

import (
	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/loopback"
)

// options are what is said to make an upload faster, one at a time. The
// first row has none of them.
var options = []row{
	{"no-option", tuned(loopback.Options{})},
	{"read-buffer-128KiB", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.ReadBufferSize(128 << 10)},
		Client: []grpc.DialOption{grpc.WithReadBufferSize(128 << 10)},
	})},
	{"write-buffer-128KiB", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.WriteBufferSize(128 << 10)},
		Client: []grpc.DialOption{grpc.WithWriteBufferSize(128 << 10)},
	})},
	{"static-windows-1MiB", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.StaticStreamWindowSize(1 << 20), grpc.StaticConnWindowSize(1 << 20)},
	})},
	{"initial-window-1MiB", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.InitialWindowSize(1 << 20)},
	})},
	{"own-write-buffer", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.SharedWriteBuffer(false)},   //nolint:staticcheck // deprecated: it is shared by default
		Client: []grpc.DialOption{grpc.WithSharedWriteBuffer(false)}, //nolint:staticcheck // as above
	})},
	{"stream-workers-2", tuned(loopback.Options{
		Server: []grpc.ServerOption{grpc.NumStreamWorkers(2)},
	})},
	{"prepared-message", grpcStream{chunk: fit, prepared: true}.start},
}

func tuned(o loopback.Options) startFunc { return grpcStream{chunk: fit, options: o}.start }

// withTLS has each of the main contenders twice.
var withTLS = []row{
	{"http1-put", put(loopback.HTTPOptions{})},
	{"http1-put-tls", put(loopback.HTTPOptions{TLS: true})},
	{"grpc-plain", plain.start},
	{"grpc-plain-tls", grpcStream{chunk: plain.chunk, newBuffers: true, options: loopback.Options{TLS: true}}.start},
	{"grpc-fast", fast.start},
	{"grpc-fast-tls", grpcStream{fastSend: true, fastReceive: true, ownPool: true, options: loopback.Options{TLS: true}}.start},
}
