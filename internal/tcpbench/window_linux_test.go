package tcpbench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/internal/golden"
)

const message = 1000 // bytes

// A flood is a server whose handlers send messages of 1,000 bytes as fast as
// they can.
type flood struct{ sent atomic.Int64 }

func (f *flood) handle(_ any, stream grpc.ServerStream) error {
	m := wrapperspb.Bytes(make([]byte, message))
	for {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
		f.sent.Add(1)
	}
}

// unread returns how many bytes a handler sends to a client that does not
// read: until nothing has been sent for half a second.
func (f *flood) unread(t *testing.T, conn *grpc.ClientConn) int64 {
	f.sent.Store(0)
	_, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/test/Flood")
	require.NoError(t, err)
	last, since := int64(-1), time.Now()
	require.Eventually(t, func() bool {
		if n := f.sent.Load(); n != last {
			last, since = n, time.Now()
		}
		return last > 0 && time.Since(since) > 500*time.Millisecond
	}, 20*time.Second, 10*time.Millisecond)
	return last * message
}

// warm reads n messages on a stream of the connection, and cancels it.
func warm(t *testing.T, conn *grpc.ClientConn, n int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test/Flood")
	require.NoError(t, err)
	for range n {
		require.NoError(t, stream.RecvMsg(&wrapperspb.BytesValue{}))
	}
}

var unreadStreams = []struct {
	windows, connection string
	opts                []grpc.DialOption
	read                int // messages, before
	from, to            int64
}{
	{windows: "defaults", connection: "new", from: 64 << 10, to: 256 << 10},
	{windows: "defaults", connection: "has read 20 MB", read: 20_000, from: 256 << 10, to: 17 << 20},
	{windows: "64 KiB, static", connection: "new", opts: static, from: 64 << 10, to: 256 << 10},
	{windows: "64 KiB, static", connection: "has read 20 MB", opts: static, read: 20_000, from: 64 << 10, to: 256 << 10},
}

var static = []grpc.DialOption{
	grpc.WithStaticStreamWindowSize(64 << 10), grpc.WithStaticConnWindowSize(64 << 10),
}

func TestUnreadStream_TakesMoreOnAWarmConnection(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Windows of the client | Connection | The handler sends |\n|---|---|---|\n")
	for _, tt := range unreadStreams {
		t.Run(tt.windows+" "+tt.connection, func(t *testing.T) {
			f := new(flood)
			p := listen(t, grpc.UnknownServiceHandler(f.handle))
			conn := dial(t, p.addr, tt.opts...)
			if tt.read > 0 {
				warm(t, conn, tt.read)
			}
			n := f.unread(t, conn)
			t.Logf("%d KiB", n>>10)
			require.GreaterOrEqual(t, n, tt.from)
			require.LessOrEqual(t, n, tt.to)
		})
		fmt.Fprintf(&table, "| %s | %s | %d to %d KiB |\n", tt.windows, tt.connection, tt.from>>10, tt.to>>10)
	}
	golden.Section(t, "../../docs/tcp.md", "windows", table.String())
}
