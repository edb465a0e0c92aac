package deadpeer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
)

func TestBroken_ClientStillWaitsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, _ := halfOpen(t, nil, BrokenDialOptions(time.Minute))
		recv(stream).StillRuns(t, 24*time.Hour)
	})
}

func TestFixed_ClientNoticesAfterTimeAndTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, _ := halfOpen(t, FixedServerOptions(time.Minute), FixedDialOptions(time.Minute))

		start := time.Now()
		err := recv(stream).EndsWithin(t, time.Hour)

		require.Equal(t, 70*time.Second, time.Since(start))
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "keepalive ping failed to receive ACK within timeout")
	})
}

func TestBroken_ServerKeepsItsHandlerForTwoHours(t *testing.T) {
	handlerEndsAfter(t, 2*time.Hour+20*time.Second, BrokenServerOptions(time.Minute))
}

// What the server sends is no sign of the client, and does not delay a PING.
func TestBroken_TickingServerNoticesAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		server := pitfalltest.Serve(t, &service.Server{
			OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
				defer close(ended)
				for {
					if err := stream.Send(&pitfallsv1.Number{}); err != nil {
						return err
					}
					select {
					case <-time.After(time.Minute):
					case <-stream.Context().Done():
						return stream.Context().Err()
					}
				}
			},
		}, BrokenServerOptions(time.Minute)...)
		network := faultnet.New(server.DialContext)
		_, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(server.Dial(t, grpc.WithContextDialer(network.DialContext))))
		require.NoError(t, err)
		network.Conn().HalfOpen()
		start := time.Now()
		<-ended
		require.Equal(t, 2*time.Hour+20*time.Second, time.Since(start))
	})
}

func TestFixed_ServerNoticesAfterTimeAndTimeout(t *testing.T) {
	handlerEndsAfter(t, 70*time.Second, FixedServerOptions(time.Minute))
}

func TestKeepalive_RaisesAShortTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, _ := halfOpen(t, nil, []grpc.DialOption{grpc.WithKeepaliveParams(
			keepalive.ClientParameters{Time: 9 * time.Second, Timeout: time.Second})})
		start := time.Now()
		require.Error(t, recv(stream).EndsWithin(t, time.Hour))
		require.Equal(t, 11*time.Second, time.Since(start), "10 s and the Timeout")
	})
	handlerEndsAfter(t, 2*time.Second, []grpc.ServerOption{grpc.KeepaliveParams(
		keepalive.ServerParameters{Time: 900 * time.Millisecond, Timeout: time.Second})})
}

// Keepalive ends nothing as long as the peer answers its PINGs.
func TestKeepalive_LeavesAQuietStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{}, FixedServerOptions(time.Minute)...)
		conn := server.Dial(t, FixedDialOptions(time.Minute)...)
		stream, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn))
		require.NoError(t, err)
		recv(stream).StillRuns(t, 24*time.Hour)
	})
}

// The proxy waits for a message of a server that is gone.
func TestProxy_AnswersPINGsForADeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, _ := halfOpen(t, nil, nil)
		proxy := pitfalltest.Serve(t, &service.Server{
			OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
				if err := stream.Send(&pitfallsv1.Number{}); err != nil {
					return err
				}
				_, err := upstream.Recv()
				return err
			},
		}, FixedServerOptions(time.Minute)...)
		conn := proxy.Dial(t, FixedDialOptions(time.Minute)...)
		stream, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn))
		require.NoError(t, err)
		recv(stream).StillRuns(t, 24*time.Hour)
	})
}

// The clocks of two machines differ, so the server allows PINGs that come
// somewhat earlier than those of FixedDialOptions.
func TestServer_AllowsPINGsThatComeEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pinged(t, 40*time.Second).StillRuns(t, 24*time.Hour)
	})
}

func TestServer_RefusesPINGsThatComeTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := pinged(t, 20*time.Second).EndsWithin(t, time.Hour)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "too_many_pings")
	})
}

// pinged receives from a quiet stream of a client that sends PINGs at an
// interval, to a server with the options for a minute.
func pinged(t *testing.T, interval time.Duration) *pitfalltest.Call {
	server := pitfalltest.Serve(t, &service.Server{}, FixedServerOptions(time.Minute)...)
	conn := server.Dial(t, FixedDialOptions(interval)...)
	stream, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn))
	require.NoError(t, err)
	return recv(stream)
}

// halfOpen returns a stream whose connection has just become half-open, and
// a client with another connection to the server.
func halfOpen(
	t *testing.T, serve []grpc.ServerOption, dial []grpc.DialOption,
) (echo, pitfallsv1.PitfallServiceClient) {
	server := pitfalltest.Serve(t, &service.Server{}, serve...)
	network := faultnet.New(server.DialContext)
	conn := server.Dial(t, append(dial, grpc.WithContextDialer(network.DialContext))...)
	stream, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn))
	require.NoError(t, err)
	network.Conn().HalfOpen()
	return stream, pitfallsv1.NewPitfallServiceClient(server.Dial(t))
}

func recv(stream echo) *pitfalltest.Call {
	return pitfalltest.Go(func() error {
		_, err := stream.Recv()
		return err
	})
}

// handlerEndsAfter requires that a server with opts ends the handler of a
// half-open connection after exactly d.
func handlerEndsAfter(t *testing.T, d time.Duration, opts []grpc.ServerOption) {
	synctest.Test(t, func(t *testing.T) {
		_, watch := halfOpen(t, opts, nil)
		time.Sleep(d - time.Nanosecond)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, watch))
		time.Sleep(time.Nanosecond)
		require.Zero(t, pitfalltest.OpenStreams(t, watch))
	})
}
