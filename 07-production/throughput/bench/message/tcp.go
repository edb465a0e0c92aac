package message

import (
	"crypto/tls"
	"io"
	"net"

	"golang.org/x/sync/errgroup"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// tcpPingPong writes the bytes of a message, and waits until they are back.
// It shows what TCP alone costs.
func (w work) tcpPingPong(r *harness.Run) (harness.Do, error) {
	server, client, err := loopback.Certificates()
	if err != nil {
		return nil, err
	}
	addr, err := loopback.TCP(r, func(conn net.Conn) error {
		if w.tls {
			conn = tls.Server(conn, server)
		}
		return echo(conn)
	})
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(r.Context, "tcp", addr)
	if err != nil {
		return nil, err
	}
	r.Defer(conn.Close)
	if deadline, ok := r.Context.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if w.tls {
		conn = tls.Client(conn, client)
	}
	return func(n int) ([]harness.Metric, error) {
		there, back := make([]byte, w.size), make([]byte, w.size)
		var bytes int64
		for range n {
			var group errgroup.Group
			if w.size > 64<<10 { // more than the buffers of TCP hold
				group.Go(func() error { return write(conn, there) })
			} else if err := write(conn, there); err != nil {
				return nil, err
			}
			read, err := io.ReadFull(conn, back)
			if err != nil {
				return nil, err
			}
			if err := group.Wait(); err != nil {
				return nil, err
			}
			bytes += int64(read)
		}
		return nil, w.check("echo", int64(n), bytes, n)
	}, nil
}

func write(conn net.Conn, data []byte) error {
	_, err := conn.Write(data)
	return err
}

// echo writes what it reads, until the client closes the connection.
func echo(conn net.Conn) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil //nolint:nilerr // the client has closed the connection
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return err
		}
	}
}
