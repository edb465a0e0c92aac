package observability

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver"
	"example.com/streams/internal/testproc"
)

// readOne is a process that reads an entry with a token, and cancels.
func readOne() int {
	log, ended := logs.NewLog(10), make(chan struct{})
	log.Append("GET /cart 200", false)
	conn, stop, err := memserver.Dial(stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
		defer close(ended)
		return (&logs.LogServer{Log: log}).StreamLogs(req, stream)
	}}.register)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer stop()
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer s3cret")
	for e, err := range logs.Tail(ctx, logsv1.NewLogServiceClient(conn), everything()) {
		fmt.Println(e.GetMessage(), err)
		break
	}
	<-ended // the server has read the RST_STREAM
	return 0
}

// dialNobody is a process whose call waits 200 ms for a server.
func dialNobody() int {
	conn, err := grpc.NewClient("passthrough:///nobody",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			return nil, errors.New("nobody is there")
		}))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = logsv1.NewLogServiceClient(conn).StreamLogs(ctx, everything(), grpc.WaitForReady(true))
	if status.Code(err) != codes.DeadlineExceeded {
		fmt.Println(err)
		return 1
	}
	return 0
}

// profileOne is a process that prints its goroutines while a stream is open.
func profileOne() int {
	log := logs.NewLog(10)
	log.Append("GET /cart 200", false)
	conn, stop, err := memserver.Dial(register(log))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer stop()
	for _, err := range logs.Tail(context.Background(), logsv1.NewLogServiceClient(conn), everything()) {
		if err != nil {
			fmt.Println(err)
			return 1
		}
		if err := pprof.Lookup("goroutine").WriteTo(os.Stderr, 1); err != nil {
			fmt.Println(err)
			return 1
		}
		break
	}
	return 0
}

// stderrOf runs f in a process with these variables, and returns what it
// writes to stderr.
func stderrOf(t *testing.T, f func() int, env ...string) string {
	t.Helper()
	status, stdout, stderr := testproc.Self(t, f, nil, env...).Wait()
	require.Zero(t, status, "%s%s", stdout, stderr)
	return stderr
}

func TestGRPCLog_SaysNothingOfAStream(t *testing.T) {
	got := stderrOf(t, readOne, "GRPC_GO_LOG_SEVERITY_LEVEL=info", "GRPC_GO_LOG_VERBOSITY_LEVEL=99")
	require.Contains(t, got, "Channel Connectivity change to READY")
	require.Regexp(t, `\[server-transport 0x\w+\] Closing: `, got)
	require.NotContains(t, got, "StreamLogs")
	require.NotContains(t, got, "Canceled desc = context canceled")
}

func TestGRPCLog_WarningTellsWhyDialingFails(t *testing.T) {
	for name, env := range map[string]string{"by default": "", "warning": "warning"} {
		t.Run(name, func(t *testing.T) {
			got := stderrOf(t, dialNobody, "GRPC_GO_LOG_SEVERITY_LEVEL="+env)
			if env == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, "WARNING: [core] [Channel #1 SubChannel #2] grpc: addrConn.createTransport failed to connect to ")
			require.Contains(t, got, "nobody is there")
		})
	}
}

func TestHTTP2Debug_ShowsAllFramesButData(t *testing.T) {
	got := stderrOf(t, readOne, "GODEBUG=http2debug=2")
	for _, frame := range []string{
		"SETTINGS ", "HEADERS flags=END_HEADERS stream=1 ", `WINDOW_UPDATE len=4 \(conn\) `, "PING ",
		"RST_STREAM stream=1 len=4 ErrCode=CANCEL",
	} {
		require.Regexp(t, `http2: Framer 0x\w+: wrote `+frame, got)
		require.Regexp(t, `http2: Framer 0x\w+: read `+frame, got)
	}
	require.NotContains(t, got, " DATA ")
	require.Contains(t, got, `"authorization" = "Bearer s3cret"`, "secrets are in the log")
}

func TestGoroutineProfile_CanHoldTheMethod(t *testing.T) {
	label := `# labels: {"grpc.method":"/logs.v1.LogService/StreamLogs"}`
	for env, require := range map[string]func(require.TestingT, any, any, ...any){
		"GRPC_GO_SERVER_GOROUTINE_LABELS=":                 require.NotContains,
		"GRPC_GO_SERVER_GOROUTINE_LABELS=grpc.method=true": require.Contains,
	} {
		t.Run(env, func(t *testing.T) { require(t, stderrOf(t, profileOne, env), label) })
	}
}
