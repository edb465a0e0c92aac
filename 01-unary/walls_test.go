package unary

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
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
	"example.com/streams/internal/bufnet"
)

// The first wall: a message has to fit into memory, and into 4 MiB unless
// the receiver says otherwise.
func TestASnapshotAboveFourMiBIsRefusedByTheReceiver(t *testing.T) {
	const limit = 8 << 20
	recv := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit))
	send := grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(limit))
	for _, tt := range []struct {
		name   string
		server grpc.ServerOption
		client grpc.DialOption
		says   string // empty: the snapshot arrives
	}{
		{"by default", grpc.EmptyServerOption{}, grpc.EmptyDialOption{},
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the server may send more", grpc.MaxSendMsgSize(limit), send,
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the server may receive more", grpc.MaxRecvMsgSize(limit), send,
			"grpc: received message larger than max (5242885 vs. 4194304)"},
		{"the client may receive more", grpc.EmptyServerOption{}, recv, ""},
		{"the server may send less", grpc.MaxSendMsgSize(4 << 20), recv,
			"trying to send message larger than max (5242885 vs. 4194304)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
					fsys := file(strings.Repeat("x", 5<<20))
					snapshotv1.RegisterSnapshotServiceServer(s, &SnapshotServer{FS: fsys, Name: "app.log"})
				}, tt.server)
				client := snapshotv1.NewSnapshotServiceClient(server.Dial(t, tt.client))

				lines, err := Lines(t.Context(), client, 1)

				if tt.says == "" {
					require.NoError(t, err)
					require.Len(t, lines[0], 5<<20)
					return
				}
				require.Equal(t, codes.ResourceExhausted, status.Code(err))
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

// The second wall: to stay up to date you ask again and again.
func TestPollingForAnHourCosts3600CallsAndHalfASecondOfStaleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		log := &growingLog{}
		go log.write(ctx, rand.New(rand.NewPCG(1, 2)))

		calls, seen := 0, 0
		var newest int64
		var stale time.Duration
		err := Poll(ctx, dial(t, log), 10, time.Second, func(lines [][]byte) {
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
		})

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		synctest.Wait() // the writer has ended
		require.Equal(t, 3600, calls)
		require.InDelta(t, log.count, seen, 5, "lines seen; the last second's are not")
		require.InDelta(t, 0.5, stale.Seconds()/float64(seen), 0.02, "seconds that a line was stale")
	})
}

// A growingLog gets a line at random times, one a second on average. Each
// line says when it was written.
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
	return fstest.MapFS{name: {Data: l.text}}.Open(name) // append leaves these bytes alone
}
