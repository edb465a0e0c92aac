// Package message compares ways to carry one message.
package message

import (
	"fmt"

	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// Comparisons returns one comparison for each size, and one with TLS.
func Comparisons() []harness.Comparison {
	var all []harness.Comparison
	for _, s := range []struct {
		name  string
		bytes int
	}{{"16B", 16}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}, {"1MiB", 1 << 20}} {
		all = append(all, compare("message-"+s.name, s.bytes, false))
	}
	return append(all, compare("message-1KiB-tls", 1<<10, true))
}

func compare(name string, size int, tls bool) harness.Comparison {
	w := work{size: size, tls: tls}
	title := fmt.Sprintf("A message of %d bytes", size)
	if tls {
		title += ", with TLS"
	}
	shortN := 20
	if size == 1<<20 {
		shortN = 4
	}
	return harness.Comparison{
		Name:   name,
		Title:  title,
		Op:     "one message; a ping-pong, an echo and a unary call also wait for an answer",
		Unit:   "ns/op",
		Bytes:  size,
		ShortN: shortN,
		Contenders: []harness.Contender{
			{Name: "unary", Start: w.unary},
			{Name: "unary-16-at-once", Start: w.unary16},
			{Name: "server-stream", Start: w.serverStream},
			{Name: "client-stream", Start: w.clientStream},
			{Name: "bidi-echo", Start: w.bidiEcho},
			{Name: "bidi-ping-pong", Start: w.bidiPingPong},
			{Name: "tcp-ping-pong", Start: w.tcpPingPong},
		},
	}
}

// work is what the contenders of one comparison do.
type work struct {
	size int
	tls  bool
}

func (w work) payload() *benchv1.Payload { return &benchv1.Payload{Data: make([]byte, w.size)} }

func (w work) client(r *harness.Run) (benchv1.BenchServiceClient, error) {
	conn, err := loopback.GRPC(r, func(s grpc.ServiceRegistrar) {
		benchv1.RegisterBenchServiceServer(s, server{})
	}, loopback.Options{TLS: w.tls})
	return benchv1.NewBenchServiceClient(conn), err
}

// check compares what has arrived with n messages of the size.
func (w work) check(what string, count, bytes int64, n int) error {
	if count != int64(n) || bytes != int64(n)*int64(w.size) {
		return fmt.Errorf("%s: must be %d messages of %d bytes, got %d with %d in all", what, n, w.size, count, bytes)
	}
	return nil
}
