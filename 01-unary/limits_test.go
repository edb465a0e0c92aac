package unary

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// The first limit is the size of a message: 4 MiB, unless the receiver
// allows more.
func TestMessageSize_IsLimitedByReceiver(t *testing.T) {
	const size = 8 << 20
	receives := `{"methodConfig": [{"name": [{}], "maxResponseMessageBytes": 8388608}]}`
	recv := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(size))
	send := grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(size))
	for _, tt := range []struct {
		name   string
		server grpc.ServerOption
		client grpc.DialOption
		says   string // empty: the snapshot arrives
	}{
		{"by default", grpc.EmptyServerOption{}, grpc.EmptyDialOption{},
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the server may send more", grpc.MaxSendMsgSize(size), send,
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the server may receive more", grpc.MaxRecvMsgSize(size), send,
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the client may receive more", grpc.EmptyServerOption{}, recv, ""},
		{"the client's service config says so", grpc.EmptyServerOption{}, grpc.WithDefaultServiceConfig(receives), ""},
		{"the server may send less", grpc.MaxSendMsgSize(4 << 20), recv,
			"trying to send message larger than max (5242885 vs. 4194304)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
					snapshotv1.RegisterSnapshotServiceServer(s, stub{})
				}, tt.server)
				client := snapshotv1.NewSnapshotServiceClient(server.Dial(t, tt.client))

				lines, err := Lines(t.Context(), client, 1)

				if tt.says == "" {
					require.NoError(t, err)
					require.Len(t, lines[0], 5<<20)
					return
				}
				require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

// A stub is a SnapshotService without limits of its own. It returns a line of
// 5 MiB.
type stub struct {
	snapshotv1.UnimplementedSnapshotServiceServer
}

func (stub) GetSnapshot(context.Context, *snapshotv1.SnapshotRequest) (*snapshotv1.Snapshot, error) {
	return &snapshotv1.Snapshot{Lines: [][]byte{bytes.Repeat([]byte("x"), 5<<20)}}, nil
}

// The second limit is polling: to stay up to date, a client asks again and
// again.
func TestPoll_HourCosts3600CallsAndHalfSecondStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Millisecond) // between two calls
		defer cancel()
		log := &growingLog{}
		go log.write(ctx, rand.New(rand.NewPCG(1, 2)))

		start := time.Now()
		calls, seen := 0, 0
		var newest int64
		var stale time.Duration
		var last error
		for lines, err := range Poll(ctx, dial(t, log), 10, time.Second) {
			if err != nil {
				last = err
				continue
			}
			calls++
			for _, line := range lines {
				written, err := strconv.ParseInt(string(line), 10, 64)
				require.NoError(t, err)
				if written > newest {
					newest = written
					seen++
					stale += time.Since(time.Unix(0, written))
				}
			}
		}

		require.Equal(t, codes.DeadlineExceeded, status.Code(last), "got %v", last)
		require.Equal(t, time.Hour-time.Millisecond, time.Since(start), "Poll ends at the deadline, not at the next call")
		synctest.Wait() // the writer has returned
		require.Equal(t, 3600, calls)
		require.InDelta(t, log.count, seen, 5, "lines seen, of those written")
		require.InDelta(t, 0.5, stale.Seconds()/float64(seen), 0.02, "mean age of a line, in seconds, when it is seen")
	})
}

func TestPoll_EndsWithTheStatusOfAFailedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []codes.Code
		for _, err := range Poll(t.Context(), dial(t, fstest.MapFS{}), 1, time.Minute) {
			got = append(got, status.Code(err))
		}
		require.Equal(t, []codes.Code{codes.NotFound}, got)
	})
}

// A growingLog gets a line at random times, one per second on average. Each
// line holds the time at which it was written.
type growingLog struct {
	mu    sync.Mutex
	text  []byte
	count int
}

func (l *growingLog) write(ctx context.Context, random *rand.Rand) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.ExpFloat64() * float64(time.Second))):
			l.mu.Lock()
			l.text = fmt.Appendln(l.text, time.Now().UnixNano())
			l.count++
			l.mu.Unlock()
		}
	}
}

func (l *growingLog) Open(name string) (fs.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fstest.MapFS{name: {Data: l.text}}.Open(name) // append does not change these bytes
}
