package memory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/07-production/memory"
)

// dialPipe returns a connection of Link and its other end.
func dialPipe(t *testing.T) (client, server net.Conn) {
	client, server = net.Pipe()
	dial := func(context.Context, string) (net.Conn, error) { return client, nil }
	client, err := memory.Link(dial, 20*time.Millisecond)(t.Context(), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client, server
}

func TestLink_DelaysBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dialPipe(t)
		start := time.Now()
		there := make(chan time.Duration, 1)
		go func() { // an echo
			p := make([]byte, 6)
			_, _ = io.ReadFull(server, p)
			there <- time.Since(start)
			_, _ = server.Write(p)
		}()
		for _, text := range []string{"one", "two"} {
			_, err := client.Write([]byte(text))
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start), "Write does not wait for the network")
		got := make([]byte, 6)
		_, err := io.ReadFull(iotest.OneByteReader(client), got)
		require.NoError(t, err)
		require.Equal(t, "onetwo", string(got))
		require.Equal(t, 10*time.Millisecond, <-there)
		require.Equal(t, 20*time.Millisecond, time.Since(start), "the bytes are in flight at the same time")
	})
}

func TestLink_Takes1024WritesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dialPipe(t)
		start := time.Now()
		for range 1024 {
			_, err := client.Write([]byte("x"))
			require.NoError(t, err)
			_, err = server.Write([]byte("x"))
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start))
		for _, end := range []net.Conn{client, server} {
			_, err := io.ReadFull(end, make([]byte, 1024))
			require.NoError(t, err)
		}
		require.Equal(t, 10*time.Millisecond, time.Since(start))
	})
}

func TestLink_ReadEndsWhenAnEndIsClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		close func(client, server net.Conn)
		err   error
	}{
		"server": {func(_, server net.Conn) { _ = server.Close() }, io.EOF},
		"client": {func(client, _ net.Conn) { _ = client.Close() }, io.ErrClosedPipe},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := dialPipe(t)
				time.AfterFunc(time.Hour, func() { tt.close(client, server) })
				_, err := client.Read(make([]byte, 1))
				require.Equal(t, tt.err, err)
			})
		})
	}
}

func TestLink_CloseDropsWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dialPipe(t)
		_, err := client.Write([]byte("lost"))
		require.NoError(t, err)
		_, err = server.Write([]byte("lost"))
		require.NoError(t, err)
		require.NoError(t, client.Close())
		_, err = client.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = client.Write([]byte("late"))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = server.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	})
}

func TestLink_ReturnsTheErrorOfDial(t *testing.T) {
	refused := errors.New("connection refused")
	_, err := memory.Link(func(context.Context, string) (net.Conn, error) { return nil, refused }, 0)(t.Context(), "")
	require.Equal(t, refused, err)
}
