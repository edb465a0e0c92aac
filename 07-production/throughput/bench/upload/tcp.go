package upload

import (
	"context"
	"errors"
	"io"
	"net"

	"google.golang.org/protobuf/proto"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// tcpOneGoroutine writes the file to a connection. The server reads and
// hashes in the same goroutine, so that one of the two waits.
func tcpOneGoroutine(r *harness.Run, w work) (harness.Do, error) {
	return tcp(r, w, func(s *sink, conn net.Conn) error {
		_, err := io.CopyBuffer(s, onlyReader{conn}, make([]byte, 64<<10))
		return err
	})
}

// tcpPipelined is the same, but the server reads in a second goroutine while
// the first one hashes. Each HTTP/2 server does so, because it reads frames
// in a goroutine of its own. Without it, a comparison is unfair to TCP.
func tcpPipelined(r *harness.Run, w work) (harness.Do, error) {
	return tcp(r, w, func(s *sink, conn net.Conn) error {
		const buffers = 8
		free, full := make(chan []byte, buffers), make(chan []byte, buffers)
		for range buffers {
			free <- make([]byte, 64<<10)
		}
		read := make(chan error, 1)
		go func() {
			defer close(full)
			read <- readInto(full, free, conn)
		}()
		for buffer := range full {
			_, _ = s.Write(buffer) // never fails
			free <- buffer[:cap(buffer)]
		}
		return <-read
	})
}

// readInto reads until the client has closed its half of the connection.
func readInto(full chan<- []byte, free <-chan []byte, conn net.Conn) error {
	for buffer := range free {
		n, err := conn.Read(buffer)
		full <- buffer[:n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tcp has a connection for each upload. Its half-close is the end of the
// file, and the receipt comes back.
func tcp(r *harness.Run, w work, receive func(*sink, net.Conn) error) (harness.Do, error) {
	addr, err := loopback.TCP(r, func(conn net.Conn) error {
		s := w.sink()
		if err := receive(s, conn); err != nil {
			return err
		}
		answer, err := proto.Marshal(s.receipt())
		if err != nil {
			return err
		}
		_, err = conn.Write(answer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w.do(r, func(ctx context.Context, source io.Reader, _ int64) (*uploadv1.UploadReceipt, error) {
		dialer := new(net.Dialer)
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		if _, err := io.CopyBuffer(onlyWriter{conn}, source, make([]byte, 64<<10)); err != nil {
			return nil, err
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return nil, err
		}
		return readReceipt(conn)
	}), nil
}

func readReceipt(answer io.Reader) (*uploadv1.UploadReceipt, error) {
	text, err := io.ReadAll(answer)
	if err != nil {
		return nil, err
	}
	receipt := new(uploadv1.UploadReceipt)
	return receipt, proto.Unmarshal(text, receipt)
}

// onlyReader and onlyWriter hide the methods by which io.CopyBuffer would
// avoid the buffer.
type onlyReader struct{ io.Reader }

type onlyWriter struct{ io.Writer }
