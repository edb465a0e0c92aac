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
// have received them: of chapter 02's log in memory, of a replica and one
// node in this process, of three replicas in this process and three nodes,
// which are processes, and of a server that asks its node for the entries
// once for each follower. They take turns. The followers are clients of
// grpc-go over loopback TCP. The percentages compare the CPU time of all
// processes, which other work on the machine hardly changes.
func BenchmarkDeliver(b *testing.B) {
	memory := logs.NewLog(10_000)
	nodes, three := threeNodes(b)
	one := oneNode(b, false)
	each := &consumerPerFollower{log: newLog(b, oneNode(b, false), 1)}
	names := []string{"memory", "one", "three", "each"}
	turns := []func(){
		deliver(b, func() {
			for range burst {
				memory.Append(line, false)
			}
		}, &logs.LogServer{Log: memory}),
		deliver(b, publishTo(b, newLog(b, one, 1)), replicas(b, one, 1, 1)...),
		deliver(b, publishTo(b, newLog(b, three, 3)), replicas(b, three, 3, 3)...),
		deliver(b, publishTo(b, each.log), each),
	}
	took, used := make([]time.Duration, len(turns)), make([]time.Duration, len(turns))
	for b.Loop() {
		for i, turn := range turns {
			start, cpu := time.Now(), cpuTime(b, nodes)
			turn()
			took[i] += time.Since(start)
			used[i] += cpuTime(b, nodes) - cpu
		}
	}
	b.ReportMetric(0, "ns/op") // of all together
	for i, name := range names {
		b.ReportMetric(float64(b.N*burst*followers)/took[i].Seconds(), "deliveries/s-"+name)
		if i > 0 {
			b.ReportMetric(100*used[0].Seconds()/used[i].Seconds(), "%-"+name)
		}
	}
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

// BenchmarkLatency appends an entry each 5 ms, and measures the time until a
// client has received it.
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

// oneNode starts an engine in this process.
func oneNode(b *testing.B, syncAlways bool) (connect func() (*nats.Conn, error)) {
	node, err := StartNode(NodeConfig{Dir: b.TempDir(), SyncAlways: syncAlways})
	require.NoError(b, err)
	b.Cleanup(node.Close)
	return node.Connect
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

// dial serves over TCP, and returns a stream of a client of its own.
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

// deliver starts followers, spread over the servers, and returns a function
// that publishes a burst and waits until all of them have received it.
func deliver(b *testing.B, publish func(), servers ...logsv1.LogServiceServer) (turn func()) {
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
	return func() { publish(); await() }
}

// latency starts a follower, and returns a function that appends an entry
// and waits until the follower has received it.
func latency(b *testing.B, appendOne func(), s logsv1.LogServiceServer) (turn func()) {
	stream := dial(b, listen(b, s))
	return func() {
		go appendOne()
		_, err := stream.Recv()
		require.NoError(b, err)
	}
}
