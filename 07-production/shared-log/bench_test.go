//go:build linux

package sharedlog

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/shared-log/internal/fleet"
	"example.com/streams/internal/testproc"
)

const (
	burst     = 100 // entries
	followers = 100
	line      = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"
)

// BenchmarkDeliver publishes bursts of entries and waits until 100 followers
// have received them. The followers are clients of grpc-go over loopback TCP.
// It reports the rate, and the CPU time of all processes for one delivery,
// which other work on the machine changes less.
func BenchmarkDeliver(b *testing.B) {
	b.Run("memory", func(b *testing.B) { // the log of chapter 02
		log := logs.NewLog(10_000)
		publish := func() {
			for range burst {
				log.Append(line, false)
			}
		}
		deliver(b, nil, publish, &logs.LogServer{Log: log})
	})
	b.Run("one-node", func(b *testing.B) {
		connect := oneNode(b, false)
		deliver(b, nil, publishTo(b, newLog(b, connect, 1)), replicas(b, connect, 1, 1)...)
	})
	b.Run("three-nodes-and-replicas", func(b *testing.B) {
		nodes, connect := threeNodes(b)
		deliver(b, nodes, publishTo(b, newLog(b, connect, 3)), replicas(b, connect, 3, 3)...)
	})
	b.Run("consumer-per-follower", func(b *testing.B) {
		log := newLog(b, oneNode(b, false), 1)
		deliver(b, nil, publishTo(b, log), &consumerPerFollower{log: log})
	})
}

// cpuTime returns the time for which CPUs have run this process and others.
func cpuTime(b *testing.B, others []*fleet.Process) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	sum := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	for _, p := range others {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
		require.NoError(b, err)
		fields := strings.Fields(string(text))
		for _, field := range fields[13:15] { // utime and stime, see proc(5)
			ticks, err := strconv.Atoi(field)
			require.NoError(b, err)
			sum += time.Duration(ticks) * time.Second / 100
		}
	}
	return sum
}

// BenchmarkLatency appends entries, with pauses of 5 ms, and measures the time until a
// client has received it and the publisher its confirmation.
func BenchmarkLatency(b *testing.B) {
	memory := logs.NewLog(10_000)
	one := oneNode(b, false)
	_, three := threeNodes(b)
	turns := []func(){
		latency(b, func() { memory.Append(line, false) }, &logs.LogServer{Log: memory}),
		latency(b, appendTo(b, newLog(b, one, 1)), replicas(b, one, 1, 1)[0]),
		latency(b, appendTo(b, newLog(b, three, 3)), replicas(b, three, 3, 1)[0]),
	}
	percentiles(b, []string{"memory", "one", "three"}, turns)
}

// BenchmarkAppend appends one entry after the other.
func BenchmarkAppend(b *testing.B) {
	_, three := threeNodes(b)
	turns := []func(){
		appendTo(b, newLog(b, oneNode(b, false), 1)),
		appendTo(b, newLog(b, oneNode(b, true), 1)),
		appendTo(b, newLog(b, three, 3)),
	}
	percentiles(b, []string{"one", "sync", "three"}, turns)
}

// percentiles lets the functions take turns, each after 5 ms.
func percentiles(b *testing.B, names []string, turns []func()) {
	took := make([][]time.Duration, len(turns))
	for b.Loop() {
		for i, turn := range turns {
			time.Sleep(5 * time.Millisecond)
			start := time.Now()
			turn()
			took[i] = append(took[i], time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op") // of all together
	for i, name := range names {
		slices.Sort(took[i])
		for _, p := range []int{50, 99} {
			d := took[i][len(took[i])*p/100]
			b.ReportMetric(float64(d.Nanoseconds())/1000, fmt.Sprintf("µs-p%d-%s", p, name))
		}
	}
}

// oneNode starts an engine in this process. Its clients use loopback TCP,
// which takes less CPU time than the pipe of [Node.Connect].
func oneNode(b *testing.B, syncAlways bool) (connect func() (*nats.Conn, error)) {
	node, err := StartNode(NodeConfig{Dir: b.TempDir(), SyncAlways: syncAlways, Addr: "127.0.0.1:0"})
	require.NoError(b, err)
	b.Cleanup(node.Close)
	return func() (*nats.Conn, error) { return Connect(node.URL()) }
}

// threeNodes starts an engine of three processes.
func threeNodes(b *testing.B) (nodes []*fleet.Process, connect func() (*nats.Conn, error)) {
	bin := testproc.Build(b, "./cmd/node", "./cmd/server")
	f, err := fleet.Start(context.Background(), bin, b.TempDir(), 3, 0)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, f.Close()) })
	return f.Nodes, func() (*nats.Conn, error) { return Connect(f.URLs) }
}

func newLog(b *testing.B, connect func() (*nats.Conn, error), nodes int) *Log {
	nc, err := connect()
	require.NoError(b, err)
	b.Cleanup(nc.Close)
	log, err := NewLog(nc, Config{Nodes: nodes})
	require.NoError(b, err)
	require.NoError(b, log.Open(b.Context()))
	return log
}

// replicas starts replicas, each with a connection to the engine.
func replicas(b *testing.B, connect func() (*nats.Conn, error), nodes, n int) (servers []logsv1.LogServiceServer) {
	for range n {
		serving := make(chan error, 100)
		r := &Replica{Log: newLog(b, connect, nodes), OnServing: func(err error) { serving <- err }}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); r.Run(ctx) }()
		b.Cleanup(func() { cancel(); <-ended })
		require.NoError(b, <-serving)
		servers = append(servers, r)
	}
	return servers
}

func appendTo(b *testing.B, log *Log) func() {
	n := 0
	return func() {
		n++
		_, err := log.Append(b.Context(), fmt.Sprintf("%p-%d", log, n), line, false)
		require.NoError(b, err)
	}
}

// publishTo returns a function that appends a burst without waiting for each
// entry.
func publishTo(b *testing.B, log *Log) func() {
	return func() {
		for range burst {
			_, err := log.js.PublishAsync(log.conf.Name, []byte(line))
			require.NoError(b, err)
		}
		<-log.js.PublishAsyncComplete()
	}
}

// consumerPerFollower is what everybody writes first.
type consumerPerFollower struct {
	logsv1.UnimplementedLogServiceServer
	log *Log
}

func (s *consumerPerFollower) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	ctx, cursor := stream.Context(), req.GetAfter()
	engine, _, err := s.log.open(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil { // a busy engine may be silent for two heartbeats
		messages, err := subscribe(ctx, engine, cursor)
		if err != nil {
			continue
		}
		for m, err := messages.Next(jetstream.NextContext(ctx)); err == nil; m, err = messages.Next(jetstream.NextContext(ctx)) {
			e, err := entry(m)
			if err != nil {
				return err
			}
			if err := stream.Send(e); err != nil {
				return err
			}
			cursor = e.GetSequence()
		}
		messages.Stop()
	}
	return ctx.Err()
}

// dial returns a stream of a client of its own.
func dial(b *testing.B, addr string) grpc.ServerStreamingClient[logsv1.LogEntry] {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(b.Context(), &logsv1.LogRequest{Follow: true})
	require.NoError(b, err)
	return stream
}

func listen(b *testing.B, s logsv1.LogServiceServer) (addr string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	g := grpc.NewServer()
	logsv1.RegisterLogServiceServer(g, s)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	b.Cleanup(func() { g.Stop(); require.NoError(b, <-served) })
	return listener.Addr().String()
}

// deliver measures bursts to followers that are spread over the servers.
func deliver(b *testing.B, nodes []*fleet.Process, publish func(), servers ...logsv1.LogServiceServer) {
	publish() // each follower receives a burst, so we know it has begun
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, listen(b, s))
	}
	arrived := make(chan error, followers)
	for i := range followers {
		stream := dial(b, addrs[i%len(addrs)])
		go func() {
			for n := 1; ; n++ {
				_, err := stream.Recv()
				if err != nil || n%burst == 0 {
					arrived <- err
				}
				if err != nil {
					return
				}
			}
		}()
	}
	await := func() {
		for range followers {
			require.NoError(b, <-arrived)
		}
	}
	await()
	used := cpuTime(b, nodes)
	for b.Loop() {
		publish()
		await()
	}
	deliveries := float64(b.N * burst * followers)
	b.ReportMetric(0, "ns/op") // of a burst
	b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((cpuTime(b, nodes)-used).Nanoseconds())/deliveries, "cpu-ns/delivery")
}

// latency starts a follower, and returns a function that appends an entry
// and waits for the follower and the confirmation.
func latency(b *testing.B, appendOne func(), s logsv1.LogServiceServer) (turn func()) {
	stream := dial(b, listen(b, s))
	return func() {
		confirmed := make(chan struct{})
		go func() { defer close(confirmed); appendOne() }()
		_, err := stream.Recv()
		require.NoError(b, err)
		<-confirmed
	}
}
