package browser

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// A meter counts the bytes that are read from a connection.
type meter struct {
	net.Conn
	read *atomic.Int64
}

func (m meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.read.Add(int64(n))
	return n, err
}

func TestCost_BytesOfAnEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		service := &logs.LogServer{Log: log}

		var events atomic.Int64
		web := memservertest.ServeHTTP(t, NewServer(newGateway(t, service)))
		conn, err := web.DialContext(t.Context(), "")
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
		go func() { _, _ = io.Copy(io.Discard, meter{conn, &events}) }() // until Close

		var messages atomic.Int64
		server := memservertest.Serve(t, register(service))
		client := logsv1.NewLogServiceClient(server.Dial(t,
			grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(64<<10), // no PINGs
			grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
				conn, err := server.DialContext(ctx, addr)
				return meter{conn, &messages}, err
			})))
		stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		log.Append("the first one comes with headers", false)
		_, err = stream.Recv()
		require.NoError(t, err)

		time.Sleep(123456789) // a time with nanoseconds, as in real logs
		table := "| Message | gRPC | Event |\n|---|---|---|\n"
		for _, size := range []int{10, 100, 1000} {
			synctest.Wait()
			events.Store(0)
			messages.Store(0)
			log.Append(strings.Repeat("x", size), false)
			_, err = stream.Recv()
			require.NoError(t, err)
			synctest.Wait()
			table += fmt.Sprintf("| %d | %d | %d |\n", size, messages.Load(), events.Load())
		}
		golden.Section(t, "README.md", "bytes", table)
	})
}
