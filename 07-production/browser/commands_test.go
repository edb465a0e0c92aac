package browser

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	gateway := filepath.Join(testproc.Build(t, "./cmd/gateway"), "gateway")
	t.Run("one port serves the log twice and drains", func(t *testing.T) { testOnePort(t, gateway) })
	t.Run("an upstream and a host are flags", func(t *testing.T) { testUpstream(t, gateway) })
	t.Run("a connection without a request is closed", func(t *testing.T) { testDrain(t, gateway) })
	t.Run("bad input is reported in one line", func(t *testing.T) { testBadInput(t, gateway) })
}

func testOnePort(t *testing.T, gateway string) {
	p, addr := testproc.StartServer(t, gateway)
	client := &source{t: t, client: http.DefaultClient, url: "http://" + addr + "/events"}
	client.connect(t.Context())
	e, ok := client.next()
	require.True(t, ok)
	log, _, _ := strings.Cut(e.ID, ":")

	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
	require.NoError(t, err)
	entry, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, log, entry.GetLogId())
	require.Contains(t, e.Data, entry.GetMessage())

	p.Signal(syscall.SIGTERM)
	for ok {
		_, ok = client.next()
	}
	for err == nil {
		_, err = stream.Recv()
	}
	require.Contains(t, err.Error(), "code = Unavailable desc = shutting down")
	p.RequireExit(0, "", "")
}

func testUpstream(t *testing.T, gateway string) {
	_, upstream := serveLog(t, &logs.LogServer{Log: newLog("of the upstream")})
	p, addr := testproc.StartServer(t, gateway, "-upstream="+upstream, "-host=logs.example")
	client := &source{t: t, client: http.DefaultClient, url: "http://" + addr + "/events"}
	resp, err := http.Get(client.url)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)

	client.host = "logs.example"
	ctx, leave := context.WithCancel(t.Context())
	client.connect(ctx)
	e, _ := client.next()
	require.Contains(t, e.Data, "of the upstream")
	leave()
	p.Signal(syscall.SIGTERM)
	p.RequireExit(0, "", "")
}

// Browsers open connections before they have a request.
func testDrain(t *testing.T, gateway string) {
	p, addr := testproc.StartServer(t, gateway, "-drain=10ms")
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	resp, err := http.Get("http://" + addr + "/page.js") // accepted after conn
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	p.Signal(syscall.SIGTERM)
	p.RequireExit(0, "", "")
}

func testBadInput(t *testing.T, gateway string) {
	for flag, message := range map[string]string{
		"-addr=here":     `-addr: must be host:port, got "here"`,
		"-upstream=here": `-upstream: must be host:port, got "here"`,
		"-drain=-1s":     "-drain: must be at least 0, got -1s",
		"now":            `unexpected argument "now"`,
	} {
		testproc.Start(t, gateway, flag).RequireExit(2, "", "gateway: "+message+" (see -help)\n")
	}
}
