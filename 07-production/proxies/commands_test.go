package proxies_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	t.Run("the proxy cuts a quiet stream over TCP", func(t *testing.T) { testProxy(t, dir) })
	t.Run("an interrupt ends the demo", func(t *testing.T) { testInterrupt(t, dir) })
	t.Run("bad input is reported in one line", func(t *testing.T) { testBadInput(t, dir) })
}

func testProxy(t *testing.T, dir string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	log := logs.NewLog(10)
	log.Append("first", false)
	logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	go func() { _ = s.Serve(listener) }()
	defer s.Stop()
	proxy, addr := testproc.StartServer(t, filepath.Join(dir, "proxy"),
		"-upstream="+listener.Addr().String(), "-idle=300ms")
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()

	start := time.Now()
	entries := 0
	for _, err = range logs.Tail(t.Context(), logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{Follow: true}) {
		if err == nil {
			entries++
		}
	}

	require.EqualError(t, err, "rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR")
	require.Equal(t, 1, entries)
	require.GreaterOrEqual(t, time.Since(start), 300*time.Millisecond)
	proxy.Signal(os.Interrupt)
	proxy.RequireExit(0, "", "")
}

func testInterrupt(t *testing.T, dir string) {
	demo := testproc.Start(t, filepath.Join(dir, "heartbeat"))
	require.Equal(t, "proxy:     a stream may be quiet for 11s", demo.Line(demo.Stdout))
	require.Equal(t, "pings:     the client receives entry 1", demo.Line(demo.Stdout))
	require.Equal(t, "bookmarks: the client receives entry 1", demo.Line(demo.Stdout))
	demo.Signal(os.Interrupt)
	demo.RequireExit(130, "", "heartbeat: interrupted\n")
}

func testBadInput(t *testing.T, dir string) {
	for _, tt := range []struct{ command, message string }{
		{"proxy -idle=-1s", "proxy: -idle: must be at least 0, got -1s (see -help)"},
		{"proxy -upstream=here", `proxy: -upstream: must be host:port, got "here" (see -help)`},
		{"proxy -addr=here", `proxy: -addr: must be host:port, got "here" (see -help)`},
		{"proxy now", `proxy: unexpected argument "now" (see -help)`},
		{"heartbeat now", `heartbeat: unexpected argument "now" (see -help)`},
	} {
		t.Run(tt.command, func(t *testing.T) {
			words := strings.Fields(tt.command)
			testproc.Start(t, filepath.Join(dir, words[0]), words[1:]...).RequireExit(2, "", tt.message+"\n")
		})
	}
}
