package unary_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	_, addr := testproc.StartServer(t, server)

	t.Run("client prints the last lines", func(t *testing.T) {
		testproc.Start(t, client, "-addr", addr, "-n=1").
			RequireExit(0, "09:01:23 INFO  checkout POST /orders 201 69ms\n", "")
	})
	t.Run("client asks for more lines than there are", func(t *testing.T) {
		_, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=10000").Wait()
		require.Equal(t, 60, strings.Count(stdout, "\n"), stderr)
	})
	t.Run("client prints the status", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=0").Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		golden.File(t, "testdata/refused.txt", stderr)
	})
	t.Run("client escapes what a terminal would obey", func(t *testing.T) {
		log := filepath.Join(t.TempDir(), "app.log")
		require.NoError(t, os.WriteFile(log, []byte("\x1b[2J \u202e \r \xff\n"), 0o600))
		_, addr := testproc.StartServer(t, server, "-file", log)
		testproc.Start(t, client, "-addr", addr).RequireExit(0, `\x1b[2J \u202e \r \ufffd`+"\n", "")
	})
	t.Run("client quotes the message of the server", func(t *testing.T) {
		listener, err := net.Listen("tcp", "localhost:0")
		require.NoError(t, err)
		s := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
			return status.Error(codes.Internal, "\x1b[2J")
		}))
		go func() { _ = s.Serve(listener) }() // until Stop
		defer s.Stop()
		testproc.Start(t, client, "-addr", listener.Addr().String()).
			RequireExit(1, "", `client: snapshot: Internal: "\x1b[2J"`+"\n")
	})
	t.Run("client fails if it cannot write", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip(err)
		}
		testproc.Start(t, "sh", "-c", `exec "$0" "$@" > /dev/full`, client, "-addr", addr).
			RequireExit(1, "", "client: write /dev/stdout: no space left on device\n")
	})
	t.Run("client ends after -timeout", func(t *testing.T) {
		silent, err := net.Listen("tcp", "localhost:0")
		require.NoError(t, err)
		defer silent.Close()
		code, _, stderr := testproc.Start(t, client, "-addr", silent.Addr().String(), "-timeout=100ms").Wait()
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "client: snapshot: DeadlineExceeded: ")
	})
	t.Run("server refuses what is not a regular file", func(t *testing.T) {
		dir := t.TempDir()
		testproc.Start(t, server, "-file", dir).
			RequireExit(1, "", fmt.Sprintf("server: -file: must be a regular file, got %q\n", dir))
		code, _, stderr := testproc.Start(t, server, "-file", filepath.Join(dir, "none")).Wait()
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "none: ")
	})
	t.Run("server follows a link out of its folder", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "app.log")
		sample, err := filepath.Abs("sample.log")
		require.NoError(t, err)
		if err := os.Symlink(sample, link); err != nil {
			t.Skip(err) // Windows may forbid it
		}
		_, addr := testproc.StartServer(t, server, "-file", link)
		testproc.Start(t, client, "-addr", addr, "-n=1").
			RequireExit(0, "09:01:23 INFO  checkout POST /orders 201 69ms\n", "")
	})
	t.Run("server says that the network can read along", func(t *testing.T) {
		p := testproc.Start(t, server, "-addr=:0")
		require.Equal(t, "server: no encryption: the network can read every call", p.Line(p.Stderr))
	})
	t.Run("server limits what a client can take", func(t *testing.T) {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(http2.ClientPreface))
		require.NoError(t, err)
		framer := http2.NewFramer(conn, conn)
		require.NoError(t, framer.WriteSettings())
		frame, err := framer.ReadFrame()
		require.NoError(t, err)
		for id, want := range map[http2.SettingID]uint32{
			http2.SettingMaxConcurrentStreams: 100, http2.SettingMaxHeaderListSize: 16384,
		} {
			got, _ := frame.(*http2.SettingsFrame).Value(id)
			require.Equal(t, want, got, "%v", id)
		}
	})
	t.Run("server refuses a request above 4 KiB", func(t *testing.T) {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		req := new(snapshotv1.SnapshotRequest)
		req.ProtoReflect().SetUnknown(append([]byte{0x7a, 0x80, 0x20}, make([]byte, 4096)...)) // field 15
		_, err = snapshotv1.NewSnapshotServiceClient(conn).GetSnapshot(t.Context(), req)
		require.ErrorContains(t, err, "grpc: received message larger than max (4099 vs. 4096)")
	})
	t.Run("a silent connection does not hold up the end", func(t *testing.T) {
		t.Parallel() // takes seconds
		p, addr := testproc.StartServer(t, server)
		silent, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer silent.Close()
		// The server accepts connections in order.
		testproc.Start(t, client, "-addr", addr, "-n=1").Wait()
		closing := time.AfterFunc(20*time.Second, func() { _ = silent.Close() })
		p.Signal(syscall.SIGTERM)
		p.RequireExit(0, "", "")
		require.True(t, closing.Stop(), "the server waited until the client closed the connection")
	})
	t.Run("a stream that stays open does not hold up the end", func(t *testing.T) {
		t.Parallel() // takes seconds
		p, addr := testproc.StartServer(t, server)
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		// The server waits for the request of this call.
		_, err = conn.NewStream(t.Context(), &grpc.StreamDesc{}, snapshotv1.SnapshotService_GetSnapshot_FullMethodName,
			grpc.WaitForReady(true))
		require.NoError(t, err)
		testproc.Start(t, client, "-addr", addr, "-n=1").Wait()
		closing := time.AfterFunc(20*time.Second, func() { _ = conn.Close() })
		p.Signal(syscall.SIGTERM)
		p.RequireExit(0, "", "")
		require.True(t, closing.Stop(), "the server waited until the client closed the connection")
	})
	t.Run("a second signal ends the server at once", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.NewStream(t.Context(), &grpc.StreamDesc{}, snapshotv1.SnapshotService_GetSnapshot_FullMethodName,
			grpc.WaitForReady(true))
		require.NoError(t, err)
		testproc.Start(t, client, "-addr", addr, "-n=1").Wait()
		p.Signal(syscall.SIGTERM)
		require.Eventually(t, func() bool { // until the server accepts no connection
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		}, 10*time.Second, time.Millisecond)
		p.Signal(syscall.SIGTERM)
		status, _, _ := p.Wait()
		require.NotZero(t, status, "the server waited for the stream")
	})
	t.Run("server reads the file of -file", func(t *testing.T) {
		log := filepath.Join(t.TempDir(), "app.log")
		require.NoError(t, os.WriteFile(log, []byte("one\ntwo\n"), 0o600))
		_, addr := testproc.StartServer(t, server, "-file", log)
		testproc.Start(t, client, "-addr", addr, "-n=1").RequireExit(0, "two\n", "")
	})
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String()+" ends the server", func(t *testing.T) {
			p, addr := testproc.StartServer(t, server)
			p.Signal(signal)
			p.RequireExit(0, "", "")
			status, _, stderr := testproc.Start(t, client, "-addr", addr).Wait()
			require.Equal(t, 1, status)
			require.Regexp(t, `^client: snapshot: Unavailable: .*\n$`, stderr)
		})
	}
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client, "3").RequireExit(2, "", `client: unexpected argument "3"`+"\n")
		code, _, stderr := testproc.Start(t, client, "-n=-4294967295").Wait()
		require.Equal(t, 2, code)
		require.Contains(t, stderr, `invalid value "-4294967295" for flag -n`)
		testproc.Start(t, server, "log").RequireExit(2, "", `server: unexpected argument "log"`+"\n")
	})
}

// The programs that the page prints whole.
func TestHello_ClientPrintsTwoLines(t *testing.T) {
	dir := testproc.Build(t, "./hello/...")
	_, addr := testproc.StartServer(t, filepath.Join(dir, "server"))
	status, stdout, stderr := testproc.Start(t, filepath.Join(dir, "client"), "-addr", addr).Wait()
	require.Equal(t, 0, status, stderr)
	golden.File(t, "testdata/hello.txt", stdout)
}
