package measure

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/memory"
	"example.com/streams/internal/memserver"
)

// entrySize is the size of the messages of a [Transfer].
const entrySize = 8 << 10

// A Transfer is a log that is read over a network.
type Transfer struct {
	MiB         int           // the size of the log
	RTT         time.Duration // round-trip time
	Connections int           // default 1
	Streams     int           // on each connection, each reads the whole log; default 1
}

// Time returns how long the transfer takes. The network is a
// [memory.Link]. In a bubble of testing/synctest, reading and writing take no
// time.
func (t Transfer) Time(ctx context.Context, opts ...grpc.DialOption) (time.Duration, error) {
	s := memserver.Serve(register(newLog(t.MiB<<20/entrySize, entrySize)))
	defer s.Close()
	opts = append(opts, grpc.WithContextDialer(memory.Link(s.DialContext, t.RTT)))
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range max(1, t.Connections) {
		conn, err := s.NewClient(opts...)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		for range max(1, t.Streams) {
			group.Go(func() error { return readAll(ctx, conn) })
		}
	}
	err := group.Wait()
	return time.Since(start), err
}

func readAll(ctx context.Context, conn *grpc.ClientConn) error {
	for _, err := range logs.Tail(ctx, logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{}) {
		if err != nil {
			return err
		}
	}
	return nil
}
