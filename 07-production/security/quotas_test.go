package security

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// Each stream has a connection of its own, so that MaxConcurrentStreams
// would not see them.
func TestQuotas_RefuseOneStreamTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Streams = 2
		server := f.serveLog(t)
		open := func(user string) grpc.ServerStreamingClient[logsv1.LogEntry] {
			stream := follow(t, f.dial(t, server, f.as(user)))
			synctest.Wait() // until the stream counts
			return stream
		}
		f.log.Append("one", false)
		first, second := open("ada"), open("ada")

		_, err := open("ada").Recv()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.Equal(t, "streams: must be at most 2 per user, got 3", status.Convert(err).Message())

		for _, stream := range []grpc.ServerStreamingClient[logsv1.LogEntry]{first, second, open("bob")} {
			_, err := stream.Recv()
			require.NoError(t, err)
		}
	})
}

func TestQuotas_StreamThatEndsGivesItsPlaceBack(t *testing.T) {
	for name, end := range map[string]struct {
		handler func() error
		code    codes.Code
	}{
		"OK":    {func() error { return nil }, codes.Unknown}, // io.EOF is not a status
		"error": {func() error { return status.Error(codes.NotFound, "no log") }, codes.NotFound},
		"panic": {func() error { panic("a mistake") }, codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.quotas.Streams = 1
				s := serve.New(Options(ServerTLS(f.server, f.ca.Pool), &Auth{f.sessions.Lookup}, f.quotas, 0)...)
				logsv1.RegisterLogServiceServer(s, stub{OnStreamLogs: func(*logsv1.LogRequest, serverStream) error {
					return end.handler()
				}})
				started := servetest.Start(t, s)
				client := logsv1.NewLogServiceClient(started.Dial(t, f.tls(), f.as("ada")))
				for range 3 {
					_, err := follow(t, client).Recv()
					require.Equal(t, end.code, status.Code(err), "got %v", err)
				}
				require.Zero(t, f.quotas.users["ada"].streams)
			})
		})
	}
}

// The request counts as a message, so that whoever opens streams in a loop
// is slowed as well.
func TestQuotas_SlowMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Burst, f.quotas.Interval = 3, time.Second
		for range 10 {
			f.log.Append("line", false)
		}
		start := time.Now()
		var got []time.Duration
		client := f.dial(t, f.serveLog(t), f.as("ada"))
		for _, err := range Follow(t.Context(), client, &logsv1.LogRequest{}, nil) {
			require.NoError(t, err)
			got = append(got, time.Since(start)/time.Second)
		}
		require.Equal(t, []time.Duration{0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, got, "seconds")
	})
}

func TestQuotas_RateIsOfAUserNotOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Burst, f.quotas.Interval = 1, time.Second
		server := f.serveLog(t)
		start := time.Now()
		for range 10 { // a request and a bookmark each
			for _, err := range Follow(t.Context(), f.dial(t, server, f.as("ada")), &logsv1.LogRequest{}, nil) {
				require.NoError(t, err)
			}
		}
		require.Equal(t, 19*time.Second, time.Since(start))
		for _, err := range Follow(t.Context(), f.dial(t, server, f.as("bob")), &logsv1.LogRequest{}, nil) {
			require.NoError(t, err)
		}
		require.Equal(t, 20*time.Second, time.Since(start), "another user")
	})
}

func TestQuotas_SlowFollowerMayGetOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Burst, f.quotas.Interval = 1, time.Second
		f.log = logs.NewLog(100)
		go logs.Generate(t.Context(), f.log, 100*time.Millisecond)
		_, err := failure(follow(t, f.dial(t, f.serveLog(t), f.as("ada"))))
		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
	})
}

// Messages of 16 KiB that wait for the handler fill the flow-control window.
func TestQuotas_SlowTheSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Burst, f.quotas.Interval = 1, time.Minute
		server := f.serve(t, logsv1.UnimplementedLogServiceServer{}, grpc.UnknownServiceHandler(
			func(_ any, stream grpc.ServerStream) error {
				for {
					if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
						return err
					}
				}
			}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		stream, err := server.Dial(t, f.tls(), f.as("ada")).NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/any/Method")
		require.NoError(t, err)
		sent := 0
		for line := strings.Repeat("x", 16<<10); err == nil && sent < 1000; sent++ {
			err = stream.SendMsg(&logsv1.LogEntry{Message: line})
		}
		require.Greater(t, sent, 10, "one per minute")
		require.Less(t, sent, 30, "one per minute, and what the buffers hold")
	})
}

func TestQuotas_WaitEndsWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Burst, f.quotas.Interval = 1, 24*time.Hour
		f.log.Append("line", false)
		start := time.Now()
		_, err := follow(t, f.dial(t, f.serveLog(t), f.as("ada"))).Recv()
		require.EqualError(t, err, errExpired.Error())
		require.Equal(t, time.Hour, time.Since(start))
	})
}

// A cable is pulled. The server learns of it from keepalive alone.
func TestQuotas_LostClientCountsFor30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.quotas.Streams = 1
		f.log.Append("line", false)
		server := f.serveLog(t)
		network := faultnet.New(server.DialContext)
		_, err := follow(t, f.dial(t, server, f.as("ada"), grpc.WithContextDialer(network.DialContext))).Recv()
		require.NoError(t, err)
		network.Conn().HalfOpen()

		client := f.dial(t, server, f.as("ada"))
		time.Sleep(29 * time.Second)
		_, err = follow(t, client).Recv()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		time.Sleep(2 * time.Second)
		_, err = follow(t, client).Recv()
		require.NoError(t, err)
	})
}
