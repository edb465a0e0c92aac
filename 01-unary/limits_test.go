package unary

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
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
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// The first limit is the size of a message: 4 MiB, unless the receiver
// allows more.
func TestMessageSize_IsLimitedByReceiver(t *testing.T) {
	const size = 8 << 20
	receives := `{"methodConfig": [{"name": [{}], "maxResponseMessageBytes": 8388608}]}`
	recv := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(size))
	large := fakeServer{answer: func(context.Context) (*snapshotv1.Snapshot, error) {
		return &snapshotv1.Snapshot{Lines: [][]byte{bytes.Repeat([]byte("x"), 5<<20)}}, nil
	}}
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
					snapshotv1.RegisterSnapshotServiceServer(s, large)
				}, tt.server)
				client := snapshotv1.NewSnapshotServiceClient(server.Dial(t, tt.client))

				lines, err := Lines(t.Context(), client, 1)

				if tt.says == "" {
					require.NoError(t, err)
					require.Len(t, lines[0], 5<<20)
					return
				}
				require.Equal(t, codes.ResourceExhausted.String(), status.Code(err).String(), "got %v", err)
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

// The second limit is polling: to stay up to date, a client asks again and
// again.
func TestNaive_PollingRepeatsAndMissesLines(t *testing.T) {
	got := fmt.Sprintf("%-8s  %5s  %8s  %5s  %6s  %s\n", "interval", "calls", "received", "new", "missed", "age when seen")
	for _, interval := range []time.Duration{10 * time.Second, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Millisecond) // between two calls
			defer cancel()
			log := &growingLog{}
			go log.write(ctx, rand.New(rand.NewPCG(1, 2)))

			start := time.Now()
			calls, received, seen := 0, 0, 0
			var newest int64
			var stale time.Duration
			var last error
			for lines, err := range Poll(ctx, dial(t, log), 10, interval) {
				if err != nil {
					last = err
					continue
				}
				calls++
				received += len(lines)
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

			require.Equal(t, "DeadlineExceeded", status.Code(last).String(), "got %v", last)
			require.Equal(t, time.Hour-time.Millisecond, time.Since(start), "Poll ends at the deadline, not at the next call")
			synctest.Wait() // the writer has returned
			got += fmt.Sprintf("%-8v  %5d  %8d  %5d  %6d  %.1fs\n",
				interval, calls, received, seen, log.until(newest)-seen, stale.Seconds()/float64(seen))
		})
	}
	golden.File(t, "testdata/polling.txt", got)
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

func TestPoll_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, limit := range map[string]time.Duration{
			"Canceled": time.Hour, "DeadlineExceeded": 90 * time.Second,
		} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			time.AfterFunc(100*time.Second, cancel)
			var got []string
			for _, err := range Poll(ctx, dial(t, file("one\n")), 1, time.Minute) {
				got = append(got, status.Code(err).String())
			}
			require.Equal(t, []string{"OK", "OK", want}, got)
		}
	})
}

// A growingLog gets a line at random times, one per second on average. Each
// line holds the time at which it was written.
type growingLog struct {
	mu    sync.Mutex
	text  []byte
	times []int64
}

func (l *growingLog) write(ctx context.Context, random *rand.Rand) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.ExpFloat64() * float64(time.Second))):
			l.mu.Lock()
			l.times = append(l.times, time.Now().UnixNano())
			l.text = fmt.Appendln(l.text, time.Now().UnixNano())
			l.mu.Unlock()
		}
	}
}

// until returns how many lines were written until then.
func (l *growingLog) until(then int64) int { return slices.Index(l.times, then) + 1 }

func (l *growingLog) Open(name string) (fs.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fstest.MapFS{name: {Data: l.text}}.Open(name) // append does not change these bytes
}
