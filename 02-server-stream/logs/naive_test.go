package logs

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// A naiveServer keeps the streams of its followers in a list.
type naiveServer struct {
	logsv1.UnimplementedLogServiceServer

	mu        sync.Mutex
	followers []grpc.ServerStreamingServer[logsv1.LogEntry]
}

func (s *naiveServer) StreamLogs(
	_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	s.mu.Lock()
	s.followers = append(s.followers, stream)
	s.mu.Unlock()
	<-stream.Context().Done()
	return nil
}

func (s *naiveServer) Publish(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.followers {
		_ = f.Send(&logsv1.LogEntry{Message: line}) // fails if f has left, and is still in the list
	}
}

func TestNaive_OneSleepingFollowerStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(naiveServer)
		f := newFollowing(t, server, server.Publish)
		table := f.table([]period{{"1 minute", time.Minute}, {"30 minutes", 30 * time.Minute}, {"1 day", 24 * time.Hour}})

		published := f.published.Load()
		require.Less(t, published, int64(24*60*60), "Publish has never waited")
		require.Equal(t, published, f.cid.Load(), "Cid waits for Bob")
		require.Equal(t, published+1, f.ann.Load(), "Ann comes before Bob in the list")
		require.Zero(t, f.ended.Load(), "calls that have ended")
		golden.File(t, "testdata/naive.txt", table)
	})
}

func TestStreamLogs_SleepingFollowerStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		f := newFollowing(t, &LogServer{Log: log}, func(line string) { log.Append(line, false) })
		table := f.table([]period{{"1 minute", time.Minute}, {"30 minutes", 30 * time.Minute}, {"1 hour", time.Hour}})

		for name, got := range map[string]int64{"published": f.published.Load(), "Ann": f.ann.Load(), "Cid": f.cid.Load()} {
			require.EqualValues(t, 60*60, got, name)
		}
		var bob atomic.Int64
		err := count(f.bob, &bob)
		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
		golden.File(t, "testdata/cursors.txt", fmt.Sprintf("%s\nBob wakes up and receives %d lines, then:\n%s: %s\n",
			table, bob.Load(), status.Code(err), status.Convert(err).Message()))
	})
}

// A following is how many lines were published, how many of them Ann and Cid
// have received, and how many of their calls have ended. Bob sleeps: he has
// received nothing.
type following struct {
	published, ann, cid, ended atomic.Int64
	bob                        logsv1.LogService_StreamLogsClient
}

// newFollowing follows srv as Ann, Bob and Cid, and publishes a line of 100
// bytes a second until the test ends.
func newFollowing(t *testing.T, srv logsv1.LogServiceServer, publish func(string)) *following {
	server := memservertest.Serve(t, register(srv))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	follow := func() logsv1.LogService_StreamLogsClient {
		client := logsv1.NewLogServiceClient(server.Dial(t))
		stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		synctest.Wait() // until the server has the follower
		return stream
	}
	f := new(following)
	ann := follow()
	f.bob = follow()
	cid := follow()
	go func() { _ = count(ann, &f.ann); f.ended.Add(1) }() // until the test ends
	go func() { _ = count(cid, &f.cid); f.ended.Add(1) }()
	go func() {
		for ctx.Err() == nil {
			publish(strings.Repeat("x", 100))
			f.published.Add(1)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}()
	return f
}

// A period is a time since the first line.
type period struct {
	name string
	d    time.Duration
}

func (f *following) table(periods []period) string {
	table := fmt.Sprintf("%-12s%10s%10s%10s\n", "after", "published", "Ann got", "Cid got")
	start := time.Now()
	for _, p := range periods {
		time.Sleep(p.d - time.Since(start) - time.Millisecond) // before the next line
		synctest.Wait()
		table += fmt.Sprintf("%-12s%10d%10d%10d\n", p.name, f.published.Load(), f.ann.Load(), f.cid.Load())
	}
	return table
}

// count receives until the call ends, counts the messages, and returns the
// error of Recv.
func count(stream logsv1.LogService_StreamLogsClient, n *atomic.Int64) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		n.Add(1)
	}
}

// naiveFirst returns the first entry and leaves the stream open.
func naiveFirst(ctx context.Context, c logsv1.LogServiceClient) (*logsv1.LogEntry, error) {
	stream, err := c.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}

func TestNaive_ReturnDoesNotEndTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 1)
		client, ends := dialEnds(t, log)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		entry, err := naiveFirst(ctx, client)
		require.NoError(t, err)
		require.Equal(t, "line 1", entry.GetMessage())

		time.Sleep(24 * time.Hour)
		require.Empty(t, ends, "handlers that have returned")
		cancel()
		require.Equal(t, codes.Canceled, status.Code((<-ends).err))
	})
}

// A restarted server numbers its entries from 1 again. Here the client has
// read 5 entries of the old log, and the new log has 8.
func TestNaive_NumberAloneSkipsEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		restarted := NewLog(10)
		restarted.id = "5f3a91c0"
		appendLines(restarted, 8)
		client := dial(t, &LogServer{Log: restarted})

		got, err := sequences(t.Context(), client, &logsv1.LogRequest{After: 5}, 0)
		require.NoError(t, err, "the client learns nothing of the restart")
		require.Equal(t, between(6, 8), got, "entries 1 to 5 of the new log are missing")
		alone := fmt.Sprintf("after=5                  receives %v, then %s", got, status.Code(err))

		got, err = sequences(t.Context(), client, &logsv1.LogRequest{After: 5, LogId: "77e2d0b4"}, 0)
		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
		require.Empty(t, got)
		golden.File(t, "testdata/resume.txt", fmt.Sprintf("%s\nafter=5 log_id=77e2d0b4  %s: %s\n",
			alone, status.Code(err), status.Convert(err).Message()))
	})
}
