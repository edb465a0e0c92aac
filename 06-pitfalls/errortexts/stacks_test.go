package errortexts

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// stacks are lines of the stacks of goroutines that wait.
var stacks = []text{
	{
		shows: `goroutine ... [chan send...]:`,
		who:   "your code",
		fix: "A goroutine sends to a channel, and nobody receives. If there is one for each call, its " +
			"reader may have left: {forwarding-goroutine}.",
		produce: hanging(func(t *testing.T) {
			values := make(chan int)
			t.Cleanup(func() { <-values })
			go func() { values <- 1 }()
		}),
	},
	{
		shows: `google.golang.org/grpc.(*pickerWrapper).pick(...)`,
		who:   "the network, your server or your client",
		fix: "A call waits for a connection: usually, the attempt to connect has not failed yet, or the call has `WaitForReady` and " +
			"each attempt fails, because the server is down or not reachable, or the two do not agree, as in a " +
			"TLS handshake: {no-reconnect}.",
		produce: hanging(func(t *testing.T) {
			conn := pitfalltest.Serve(t, &service.Server{}).Dial(t, grpc.WithContextDialer(unreachable))
			go func() { _ = count(t.Context(), pitfallsv1.NewPitfallServiceClient(conn)) }()
		}),
	},
	{
		shows: `google.golang.org/grpc.(*Server).GracefulStop(...)`,
		who:   "your server",
		fix: "Usually, `GracefulStop` waits for streams that do not end. Above this line is `(*Server).stop`, and above " +
			"it `sync.(*Cond).Wait`: {graceful-stop}.",
		produce: hanging(func(t *testing.T) {
			server := pitfalltest.Serve(t, &service.Server{})
			openEcho(t, pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
			go server.GracefulStop()
		}),
	},
	{
		shows: `google.golang.org/grpc.(*Server).Stop(...)`,
		who:   "your server",
		fix: "Usually the server has the option `WaitForHandlers`, so `Stop` waits, and a handler ignores its context or is slow to end. " +
			"Above this line is `(*Server).stop`, and above it `sync.(*WaitGroup).Wait`: {ignored-context}.",
		produce: hanging(func(t *testing.T) {
			server := pitfalltest.Serve(t, &service.Server{OnEcho: func(echoServer) error { time.Sleep(time.Hour); return nil }})
			openEcho(t, pitfallsv1.NewPitfallServiceClient(server.Dial(t)))
			go server.Stop()
		}),
	},
	{
		shows: `google.golang.org/grpc.(*Server).handleStream(...)`,
		who:   "your server",
		fix: "One per handler that runs. If the number grows with clients that have left, handlers ignore their context: " +
			"{ignored-context}. If the clients are there, they may have left streams open: {abandoned-stream}.",
		produce: hanging(func(t *testing.T) { openEcho(t, pitfalltest.Dial(t, &service.Server{})) }),
	},
	{
		shows: `google.golang.org/grpc.newClientStreamWithParams.func4()`,
		who:   "your client",
		fix: "One per open stream of a client; 3,000 are right for 3,000 streams that are in use. If the number " +
			"grows beyond that, streams are left open: {abandoned-stream}. The goroutine behind `created by` may be gone: " +
			"search your own code for calls that open a stream with a context that nobody cancels.",
		produce: hanging(func(t *testing.T) {
			stream, err := pitfalltest.Dial(t, &service.Server{}).Count(t.Context(), &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
		}),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*ClientStream).waitOnHeader(...)`,
		who:   "your client, or your server",
		fix: "A client waits for the server's header or first message. 1. The handler waits, too, because the " +
			"client has not called `CloseSend`: {missing-closesend}. 2. The call is `Header`, which the line below " +
			"names, and the server sends none: {header-blocks}. 3. The server is gone: {dead-peer}. 4. The server has " +
			"nothing to send, and nothing is wrong.",
		produce: hanging(func(t *testing.T) {
			stream := openEcho(t, pitfalltest.Dial(t, &service.Server{}))
			go func() { _, _ = stream.Recv() }()
		}),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*http2Client).NewStream(...)`,
		who:   "your client",
		fix:   "A call waits to be opened: usually, the connection has as many streams as the server allows: {stream-quota}.",
		produce: hanging(func(t *testing.T) {
			client := pitfallsv1.NewPitfallServiceClient(pitfalltest.Serve(t, &service.Server{}, grpc.MaxConcurrentStreams(1)).Dial(t))
			openEcho(t, client)
			go func() { _ = count(t.Context(), client) }()
		}),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*http2Client).reader(...)`,
		who:   "your client",
		fix: "One per connection. If the number keeps growing, connections are made and not closed: use one `ClientConn` " +
			"for the process.",
		produce: hanging(func(t *testing.T) { openEcho(t, pitfalltest.Dial(t, &service.Server{})) }),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*recvBufferReader).readMessageHeaderClient(...)`,
		who:   "your server, or your client",
		fix: "A client waits in `Recv`. 1. The server waits, too, because the client has not called `CloseSend`: " +
			"{missing-closesend}. 2. Both sides wait for the other: {send-before-recv}. 3. The server is gone: " +
			"{dead-peer}. 4. The server has nothing to send, and nothing is wrong.",
		produce: hanging(func(t *testing.T) {
			stream := openEcho(t, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
			go func() { _, _ = service.Values(stream) }()
		}),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*recvBufferReader).readMessageHeader(...)`,
		who:   "your client",
		fix: "A handler waits in `Recv`. 1. The client has not called `CloseSend`: {missing-closesend}. 2. The " +
			"client has left the stream open: {abandoned-stream}. 3. The client is gone: {dead-peer}. 4. A time " +
			"limit of the handler cannot interrupt `Recv`: {uninterruptible-recv}.",
		produce: hanging(func(t *testing.T) { openEcho(t, pitfalltest.Dial(t, &service.Server{})) }),
	},
	{
		shows: `google.golang.org/grpc/internal/transport.(*writeQuota).get(...)`,
		who:   "usually the other side: your client or your server",
		fix: "`Send` waits, usually because the other side does not read. 1. The client has left the stream open: " +
			"{abandoned-stream}. 2. One subscriber is slow: {slow-subscriber}. 3. Both sides send and neither " +
			"receives: {send-before-recv}. 4. The other side is gone: {dead-peer}. 5. Two goroutines call " +
			"`Send`, and one is never woken: {concurrent-send}.",
		produce: hanging(func(t *testing.T) {
			_, err := pitfalltest.Dial(t, &service.Server{}).Count(t.Context(), &pitfallsv1.CountRequest{})
			require.NoError(t, err)
		}),
	},
	{
		shows: `sync.(*Mutex).Lock(...)`,
		who:   "your code",
		fix: "A goroutine waits for a mutex. Look for the one that holds it: if it is in `Send`, one client that " +
			"does not read stops all: {slow-subscriber}.",
		produce: lockedOut,
	},
}

// What stands above and below the lines of the table.
func TestStacks_NameTheCaller(t *testing.T) {
	above := map[string]string{
		"grpc.(*Server).GracefulStop": `sync\.\(\*Cond\)\.Wait\(.*\n.*\n.*\(\*Server\)\.stop\(.*\n.*\n.*\(\*Server\)\.GracefulStop\(`,
		"grpc.(*Server).Stop":         `sync\.\(\*WaitGroup\)\.Wait\(.*\n.*\n.*\(\*Server\)\.stop\(.*\n.*\n.*\(\*Server\)\.Stop\(`,
	}
	for line, want := range above {
		row := stacks[slices.IndexFunc(stacks, func(row text) bool { return strings.Contains(row.shows, line+"(") })]
		require.Regexp(t, want, row.produce(t))
	}
	got := hanging(func(t *testing.T) {
		stream := openEcho(t, pitfalltest.Dial(t, &service.Server{}))
		go func() { _, _ = stream.Header() }()
	})(t)
	refused := hanging(func(t *testing.T) {
		client, network := pitfalltest.DialFaulty(t, &service.Server{}, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
		network.Refuse(math.MaxInt)
		go func() { _ = count(t.Context(), client) }()
		time.Sleep(time.Hour)
	})(t)
	require.Contains(t, refused, "grpc.(*pickerWrapper).pick(")
	require.Regexp(t, `\.waitOnHeader\(.*\n.*\n.*\(\*ClientStream\)\.Header\(`, got)
}

func TestStacks_AreOnePerHandlerAndStream(t *testing.T) {
	got := hanging(func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		for range 3 {
			openEcho(t, client)
		}
	})(t)
	require.Equal(t, 3, strings.Count(got, "grpc.(*Server).handleStream("))
	require.Equal(t, 3, strings.Count(got, "grpc.newClientStreamWithParams.func4()"))
	require.Equal(t, 1, strings.Count(got, "transport.(*http2Client).reader("))
}

// lockedOut returns the stack of a goroutine that waits for a mutex which
// another goroutine holds during Send. A bubble would not see that it waits.
func lockedOut(t *testing.T) string {
	var mu sync.Mutex
	client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream countServer) error {
		mu.Lock()
		defer mu.Unlock()
		for {
			if err := stream.Send(&pitfallsv1.Number{}); err != nil {
				return err
			}
		}
	}})
	_, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
	require.NoError(t, err)
	_, err = client.Count(t.Context(), &pitfallsv1.CountRequest{})
	require.NoError(t, err)
	var stack string
	require.Eventually(t, func() bool {
		for _, stack = range memservertest.Goroutines() {
			if strings.Contains(stack, "lockedOut") && strings.Contains(stack, "sync.Mutex.Lock") {
				return true
			}
		}
		return false
	}, time.Minute, time.Millisecond)
	return stack
}
