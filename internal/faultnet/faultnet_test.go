package faultnet

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"
)

// connect returns a network and both ends of a connection through it.
func connect(t *testing.T) (n *Network, client, server net.Conn) {
	t.Helper()
	listener := bufconn.Listen(1 << 10)
	n = New(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) })
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := listener.Accept()
		accepted <- c
	}()
	client, err := n.DialContext(t.Context(), "")
	require.NoError(t, err)
	server = <-accepted
	t.Cleanup(func() {
		require.NoError(t, client.Close())
		require.NoError(t, server.Close())
		require.NoError(t, listener.Close())
	})
	return n, client, server
}

func TestConn_PassesBytesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := connect(t)
		for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
			_, err := ends[0].Write([]byte("hello"))
			require.NoError(t, err)
			got := make([]byte, 5)
			_, err = io.ReadFull(ends[1], got)
			require.NoError(t, err)
			require.Equal(t, "hello", string(got))
		}
		require.NotNil(t, n.Conn())
		require.Empty(t, n.Faults())
	})
}

func TestConn_DropIsAnEndForBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := connect(t)
		n.Conn().Drop()
		for _, end := range []net.Conn{client, server} {
			_, err := end.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
		}
		require.Nil(t, n.Conn())
		require.Equal(t, map[string]int{Closed: 1}, n.Faults())
	})
}

func TestConn_HalfOpenLosesBytesAndTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := connect(t)
		read := make(chan error, 2)
		for _, end := range []net.Conn{client, server} {
			go func() {
				_, err := end.Read(make([]byte, 1))
				read <- err
			}()
		}
		synctest.Wait()
		n.Conn().HalfOpen()
		_, err := client.Write([]byte("lost"))
		require.NoError(t, err)
		_, err = server.Write([]byte("lost"))
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		require.Empty(t, read)

		require.NoError(t, client.Close())
		require.Equal(t, net.ErrClosed, <-read)
		synctest.Wait()
		require.Empty(t, read, "the server has not learned of the close")
		require.NoError(t, server.Close())
		require.Error(t, <-read)
	})
}

func TestConn_CutFrameLosesTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := connect(t)
		n.Conn().CutFrame()
		_, err := server.Write([]byte("hello"))
		require.NoError(t, err)
		got, err := io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, "hell", string(got))
		require.Equal(t, map[string]int{CutFrame: 1}, n.Faults())
	})
}

func TestConn_DelayHoldsBackTheNextBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := connect(t)
		n.Conn().Delay(time.Minute)
		for _, want := range []time.Duration{time.Minute, 0} {
			start := time.Now()
			_, err := server.Write([]byte("x"))
			require.NoError(t, err)
			_, err = client.Read(make([]byte, 1))
			require.NoError(t, err)
			require.Equal(t, want, time.Since(start))
		}
		require.Equal(t, map[string]int{Delayed: 1}, n.Faults())
	})
}

func TestNetwork_RefuseFailsTheNextDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, _ := connect(t)
		n.Refuse(2)
		_, err := io.Copy(new(bytes.Buffer), client)
		require.NoError(t, err, "the connection was closed")
		for range 2 {
			_, err := n.DialContext(t.Context(), "")
			require.EqualError(t, err, "connection refused")
		}
		require.Equal(t, map[string]int{Refused: 1}, n.Faults())
		n.dial = func(context.Context, string) (net.Conn, error) { return nil, io.ErrNoProgress }
		_, err = n.DialContext(t.Context(), "")
		require.Equal(t, io.ErrNoProgress, err, "the third dial reaches the server")
	})
}
