//go:build unix

package fastupload

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

const uploadSize = 64 << 20

// A step is one way to send a file and to receive it.
type step struct {
	name    string
	send    func(stream clientStream, r io.Reader) error
	receive func(serverStream) serverStream
	options []grpc.ServerOption
}

var steps = []step{
	{"new1K", newBuffers(1 << 10), recvCopies, nil},
	{"new32K", newBuffers(32 << 10), recvCopies, nil},
	{"new256K", newBuffers(256 << 10), recvCopies, nil}, // as in chapter 03
	{"reused256K", reusedBuffer(256 << 10), recvCopies, nil},
	{"reused1M-16", reusedBuffer(1<<20 - 16), recvCopies, nil},
	{"reused32K-16", reusedBuffer(32<<10 - 16), recvCopies, nil},
	{"receive", reusedBuffer(256 << 10), Receive, nil},
	{"both", sendChunks, Receive, nil},
	{"frames", sendChunks, Receive, []grpc.ServerOption{ServerOption()}},
}

// BenchmarkUpload uploads 64 MiB over loopback TCP, and reports the speed and
// the CPU time for a KiB, client and server together, and how many times as
// much CPU time chapter 03 takes. The server discards the bytes, or hashes
// them. The steps take turns.
//
//   - tcp: the bytes alone, over a TCP connection. A goroutine reads, and
//     another one hashes.
//   - new: a new buffer for each chunk, and gRPC copies it. new256K is what
//     chapter 03 does.
//   - reused: one buffer for all chunks, and gRPC copies it. 1 MiB and 32 KiB,
//     less 16 bytes, fit into a buffer of gRPC's pool.
//   - receive: reused256K, with Receive in the server, which does not copy.
//   - both: ReadChunk, SendChunk and Receive.
//   - frames: the same, with ServerOption.
func BenchmarkUpload(b *testing.B) {
	for name, newHash := range map[string]func() hash.Hash{
		"discarded": func() hash.Hash { return nothing{} },
		"hashed":    sha256.New,
	} {
		b.Run(name, func(b *testing.B) {
			names, uploads := []string{"tcp"}, []func(){tcpUpload(b, newHash)}
			for _, s := range steps {
				names = append(names, s.name)
				uploads = append(uploads, s.upload(b, newHash))
			}
			took, cpu := takeTurns(b, uploads...)
			for i, name := range names {
				kib := float64(b.N * uploadSize >> 10)
				b.ReportMetric(float64(b.N*uploadSize)/1e6/took[i].Seconds(), "MB/s-"+name)
				b.ReportMetric(float64(cpu[i].Nanoseconds())/kib, "ns/KiB-"+name)
				b.ReportMetric(cpu[3].Seconds()/cpu[i].Seconds(), "ch03/"+name)
			}
		})
	}
}

// takeTurns calls each function once in each iteration, and returns the time
// and the CPU time that each took in total.
func takeTurns(b *testing.B, functions ...func()) (took, cpu []time.Duration) {
	took, cpu = make([]time.Duration, len(functions)), make([]time.Duration, len(functions))
	for b.Loop() {
		for i, f := range functions {
			start, startCPU := time.Now(), cpuTime(b)
			f()
			took[i] += time.Since(start)
			cpu[i] += cpuTime(b) - startCPU
		}
	}
	b.ReportMetric(0, "ns/op") // of all functions together
	return took, cpu
}

// cpuTime returns the time for which CPUs have run this process.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// upload starts a server, and returns a function that uploads a file to it.
func (s step) upload(b *testing.B, newHash func() hash.Hash) func() {
	addr := listenTCP(b, stub{OnUpload: func(stream serverStream) error {
		stream = s.receive(stream)
		size, sum := int64(0), newHash()
		for {
			req, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(&uploadv1.UploadReceipt{Size: size, Sha256: sum.Sum(nil)})
			}
			if err != nil {
				return err
			}
			size += int64(len(req.GetChunk()))
			sum.Write(req.GetChunk())
		}
	}}, s.options...)
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	client := uploadv1.NewUploadServiceClient(conn)
	want := sumOf(newHash(), file())
	return func() {
		stream, err := client.Upload(b.Context())
		require.NoError(b, err)
		require.NoError(b, s.send(stream, file()))
		receipt, err := stream.CloseAndRecv()
		require.NoError(b, err)
		require.EqualValues(b, uploadSize, receipt.GetSize())
		require.Equal(b, want, receipt.GetSha256())
	}
}

// newBuffers sends chunks of size bytes, each in a buffer of its own.
func newBuffers(size int) func(clientStream, io.Reader) error {
	return func(stream clientStream, r io.Reader) error {
		return sendCopies(stream, r, func() []byte { return make([]byte, size) })
	}
}

// reusedBuffer sends all chunks in one buffer. That works because gRPC copies
// a message in Send, and breaks the rule that a message must not change after
// Send, on which stats handlers rely.
func reusedBuffer(size int) func(clientStream, io.Reader) error {
	return func(stream clientStream, r io.Reader) error {
		buf := make([]byte, size)
		return sendCopies(stream, r, func() []byte { return buf })
	}
}

func sendCopies(stream clientStream, r io.Reader, buffer func() []byte) error {
	for {
		buf := buffer()
		n, err := fill(buf, r)
		if err != nil || n == 0 {
			return err
		}
		req := &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: buf[:n]}}
		if err := stream.Send(req); err != nil {
			return err
		}
	}
}

func recvCopies(stream serverStream) serverStream { return stream }

func sendChunks(stream clientStream, r io.Reader) error {
	for {
		chunk, err := ReadChunk(r)
		if err != nil || chunk == nil {
			return err
		}
		if err := SendChunk(stream, chunk); err != nil {
			return err
		}
	}
}

// tcpUpload returns a function that sends the bytes of a file over a TCP
// connection of its own, to a server that reads in one goroutine and hashes
// in another.
func tcpUpload(b *testing.B, newHash func() hash.Hash) func() {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			answer(conn, newHash())
		}
	}()
	want := sumOf(newHash(), file())
	return func() {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(b, err)
		defer conn.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{conn}, file(), make([]byte, 256<<10))
		require.NoError(b, err)
		require.NoError(b, conn.(*net.TCPConn).CloseWrite())
		got, err := io.ReadAll(conn)
		require.NoError(b, err)
		require.Equal(b, fmt.Sprintf("%d %x", uploadSize, want), string(got))
	}
}

// answer reads a connection to its end, and answers with the size and the hash.
func answer(conn net.Conn, sum hash.Hash) {
	defer conn.Close()
	free, full := make(chan []byte, 8), make(chan []byte, 8)
	for range cap(free) {
		free <- make([]byte, 64<<10)
	}
	go func() {
		defer close(full)
		for {
			buf := <-free
			n, err := conn.Read(buf[:cap(buf)])
			full <- buf[:n]
			if err != nil {
				return
			}
		}
	}()
	size := 0
	for buf := range full {
		size += len(buf)
		sum.Write(buf)
		free <- buf
	}
	_, _ = fmt.Fprintf(conn, "%d %x", size, sum.Sum(nil)) // the client notices what is missing
}

// file returns a file that is in memory, such as in the cache of the system.
func file() io.Reader { return &repeated{left: uploadSize} }

type repeated struct{ left int }

var block = func() []byte {
	all := make([]byte, 1<<20)
	for i := 0; i < len(all); i += 8 {
		binary.BigEndian.PutUint64(all[i:], uint64(i)*0x9E3779B97F4A7C15)
	}
	return all
}()

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	at := (uploadSize - r.left) % len(block)
	n := copy(p[:min(len(p), r.left)], block[at:])
	r.left -= n
	return n, nil
}

func sumOf(h hash.Hash, r io.Reader) []byte {
	_, _ = io.Copy(h, r) // neither fails
	return h.Sum(nil)
}

// nothing is a hash that costs nothing.
type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Sum([]byte) []byte           { return nil }
func (nothing) Reset()                      {}
func (nothing) Size() int                   { return 0 }
func (nothing) BlockSize() int              { return 1 }
