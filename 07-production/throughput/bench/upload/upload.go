// Package upload compares ways to upload one large file.
package upload

import (
	clientstream "example.com/streams/03-client-stream"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// A row is a contender for any work.
type row struct {
	name  string
	start startFunc
}

type startFunc func(*harness.Run, work) (harness.Do, error)

// fit is a chunk whose message has a buffer of 32 KiB, the fourth of the
// sizes that grpc-go pools. A larger message, up to 1 MiB, takes a
// buffer of 1 MiB.
const fit = 32<<10 - 16

// peers are the same upload through gRPC and through others.
var peers = []row{
	{"tcp", tcpPipelined},
	{"tcp-one-goroutine", tcpOneGoroutine},
	{"http1-put", put(loopback.HTTPOptions{})},
	{"h2c-put", put(loopback.HTTPOptions{HTTP2: true})},
	{"connect-64KiB", connectStream(64 << 10)},
	{"drpc-64KiB", drpcStream(64 << 10)},
	{"grpc-1KiB", grpcStream{chunk: 1 << 10, newBuffers: true}.start},
	{"grpc-64KiB", grpcStream{chunk: 64 << 10, newBuffers: true}.start},
	{"grpc-plain", plain.start},
	{"grpc-plain-one-buffer", grpcStream{chunk: clientstream.ChunkSize}.start},
	{"grpc-fast", fast.start},
}

// plain is the upload of chapter 03, and fast is that of package fastupload.
var (
	plain = grpcStream{chunk: clientstream.ChunkSize, newBuffers: true}
	fast  = grpcStream{fastSend: true, fastReceive: true, ownPool: true}
)

// steps lead from the first version of an upload to that of fastupload.
var steps = []row{
	{"64KiB-new-buffers", grpcStream{chunk: 64 << 10, newBuffers: true}.start},
	{"1KiB-new-buffers", grpcStream{chunk: 1 << 10, newBuffers: true}.start},
	{"64KiB", grpcStream{chunk: 64 << 10}.start},
	{"32KiB", grpcStream{chunk: 32 << 10}.start},
	{"32KiB-minus-16B", grpcStream{chunk: fit}.start},
	{"256KiB-as-chapter-03", plain.start},
	{"256KiB", grpcStream{chunk: clientstream.ChunkSize}.start},
	{"256KiB-fast-send", grpcStream{fastSend: true}.start},
	{"256KiB-fast-receive", grpcStream{chunk: clientstream.ChunkSize, fastReceive: true}.start},
	{"256KiB-fast-both", grpcStream{fastSend: true, fastReceive: true}.start},
	{"256KiB-fast-both-own-pool", fast.start},
}

// Comparisons returns all comparisons of an upload.
func Comparisons() []harness.Comparison {
	return []harness.Comparison{
		compare("upload-discard", "Upload, discarded", work{}, peers),
		compare("upload-sha256", "Upload, hashed with SHA-256", work{hash: true}, peers),
		compare("upload-steps", "Upload, discarded, step by step", work{}, steps),
		compare("upload-options", "Upload, discarded, with one option more", work{}, options),
		compare("upload-tls", "Upload, discarded, with and without TLS", work{}, withTLS),
		peak("upload-peak-256MiB", "Largest heap of an upload of 256 MiB", 256,
			[]row{{"collected", collected}, {"grpc-plain", plain.start}, {"grpc-fast", fast.start}}),
		peak("upload-peak-4GiB", "Largest heap of an upload of 4 GiB", 4096,
			[]row{{"grpc-plain", plain.start}, {"grpc-fast", fast.start}}),
	}
}

func compare(name, title string, w work, rows []row) harness.Comparison {
	c := harness.Comparison{
		Name:   name,
		Title:  title,
		Op:     "1 MiB of an upload of 512 MiB",
		Unit:   "ns/op",
		Bytes:  1 << 20,
		N:      512,
		ShortN: 8,
	}
	for _, row := range rows {
		c.Contenders = append(c.Contenders, harness.Contender{
			Name:  row.name,
			Start: func(r *harness.Run) (harness.Do, error) { return row.start(r, w) },
		})
	}
	return c
}
