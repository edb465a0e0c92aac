package balancing_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
	"example.com/streams/internal/memserver/memservertest"
)

type options = func(*balancing.Lifetime) []grpc.ServerOption

// streamAge ends streams, and leaves connections as they are.
func streamAge(l *balancing.Lifetime) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainStreamInterceptor(l.Intercept)}
}

// connectionAge sends GOAWAY, and leaves streams as they are.
func connectionAge(*balancing.Lifetime) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age})}
}

// later returns the streams of a, b and c some time after c has joined a and
// b. Each client has one stream.
func later(t *testing.T, f *fleet.Fleet, config string, clients int) []int64 {
	start(t, f, "a", "b")
	for range clients {
		client(t, f, config, 1)
	}
	f.Start("c")
	time.Sleep(3 * age)
	return f.Streams("a", "b", "c")
}

func TestLifetime_OneAgeAloneMovesNothing(t *testing.T) {
	for name, options := range map[string]options{
		"the stream's age": streamAge, "the connection's age": connectionAge,
	} {
		for policy, config := range policies {
			t.Run(name+"/"+policy, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &fleet.Fleet{MaxAge: age, Options: options}
					require.Zero(t, later(t, f, config, 12)[2])
					if name == "the stream's age" {
						require.Zero(t, f.Connections("c")[0], "streams are opened again on a connection that is there")
					}
				})
			})
		}
	}
}

// The client is connected to c after the GOAWAY, and uses c for new streams.
func TestConnectionAge_MovesNewStreamsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{Options: connectionAge}, "a", "b")
		conn := client(t, f, balancing.RoundRobin, 2)
		f.Start("c")
		time.Sleep(3 * age)
		require.Equal(t, []int64{1, 1, 0}, f.Streams("a", "b", "c"))
		more(f, conn, 30)
		require.Equal(t, []int64{11, 11, 10}, f.Streams("a", "b", "c"))
	})
}

func TestLifetime_BothAgesMoveStreams(t *testing.T) {
	for _, policy := range []string{"shuffled", "round_robin"} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requireSpread(t, later(t, &fleet.Fleet{MaxAge: age}, policies[policy], 120))
			})
		})
	}
}

// The streams have no maximum age here, so that they stay on the connection.
func TestLifetime_OldConnectionTakesNoNewStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{MaxAge: age, Options: func(l *balancing.Lifetime) []grpc.ServerOption {
			return l.ServerOptions()[1:]
		}}, "a")
		conn := client(t, f, balancing.PickFirst, 1)
		time.Sleep(age*9/10 - time.Second)
		more(f, conn, 1)
		require.Equal(t, []int64{1}, f.Connections("a"))
		time.Sleep(age/5 + 2*time.Second)
		require.Equal(t, []int64{1}, f.Connections("a"), "pick_first connects for the next stream")
		more(f, conn, 1)
		require.Equal(t, []int64{2}, f.Connections("a"))
		require.Equal(t, []int64{3}, f.Streams("a"))
	})
}

func TestLifetime_PickFirstStaysWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams := later(t, &fleet.Fleet{MaxAge: age}, balancing.PickFirst, 12)
		require.Equal(t, []int64{0, 0}, streams[1:])
		require.GreaterOrEqual(t, streams[0], int64(10), "one or two may wait to open theirs again")
	})
}

const aged = "rpc error: code = Unavailable desc = the stream has reached its maximum age; open it again"

const drained = "rpc error: code = Unavailable desc = shutting down; open the stream again"

// The connection ends too, and must not end under a stream.
func TestLifetime_StreamEndsBeforeItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{MaxAge: age}, "a")
		conn := client(t, f, balancing.PickFirst, 0)
		type ended struct {
			after time.Duration
			err   error
		}
		ends := make(chan ended, 100)
		for range cap(ends) {
			time.Sleep(3 * time.Second)
			go func() {
				opened := time.Now()
				err := end(t, conn)
				ends <- ended{time.Since(opened), err}
			}()
		}
		var ages []time.Duration
		for range cap(ends) {
			e := <-ends
			require.EqualError(t, e.err, aged)
			require.InDelta(t, age, e.after, float64(age/10))
			ages = append(ages, e.after)
		}
		require.Greater(t, slices.Max(ages)-slices.Min(ages), age/20, "streams do not end together")
		time.Sleep(age*11/10 + time.Second)
		require.Equal(t, []int64{0}, f.Connections("a"), "a connection without streams has no grace")
	})
}

func TestLifetime_DrainEndsAllStreamsAndNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lifetime := balancing.NewLifetime(0)
		conn := serveHandler(t, lifetime, func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		})
		start := time.Now()
		time.AfterFunc(time.Hour, lifetime.Drain)
		ends := make(chan error, 3)
		for range cap(ends) {
			go func() { ends <- end(t, conn) }()
		}
		for range cap(ends) {
			require.EqualError(t, <-ends, drained)
		}
		require.EqualError(t, end(t, conn), drained)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestLifetime_KeepsWhatTheHandlerReturns(t *testing.T) {
	notFound := status.Error(codes.NotFound, "no such log")
	for name, tt := range map[string]struct {
		handle func(grpc.ServerStream) error
		want   error
	}{
		"an error":             {func(grpc.ServerStream) error { return notFound }, notFound},
		"OK":                   {func(grpc.ServerStream) error { return nil }, io.EOF},
		"OK after the maximum": {func(s grpc.ServerStream) error { <-s.Context().Done(); return nil }, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				require.Equal(t, tt.want, end(t, serveHandler(t, balancing.NewLifetime(age), tt.handle)))
			})
		})
	}
}

// A handler that waits in Recv or Send does not see the context of the
// Lifetime, so only the end of the connection ends it.
func TestLifetime_BlockedRecvEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		conn := serveHandler(t, balancing.NewLifetime(age), func(stream grpc.ServerStream) error {
			err := stream.RecvMsg(new(logsv1.LogRequest))
			ended <- time.Now()
			return err
		})
		start := time.Now()
		_, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, "/logs.v1.LogService/StreamLogs")
		require.NoError(t, err) // and nobody sends
		require.InDelta(t, age+age*5/4+time.Second, (<-ended).Sub(start), float64(age/10))
	})
}

func TestLifetime_BlockedSendEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		conn := serveHandler(t, balancing.NewLifetime(age), func(stream grpc.ServerStream) error {
			for {
				if err := stream.SendMsg(&logsv1.LogEntry{Message: strings.Repeat("x", 1<<10)}); err != nil {
					ended <- time.Now()
					return err
				}
			}
		})
		start := time.Now()
		_, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err) // and nobody receives
		// grpc-go varies the age by a tenth, and closes a second after the grace.
		require.InDelta(t, age+age*5/4+time.Second, (<-ended).Sub(start), float64(age/10))
	})
}

// serveHandler serves every method with handle, and returns a client.
func serveHandler(t *testing.T, l *balancing.Lifetime, handle func(grpc.ServerStream) error) *grpc.ClientConn {
	return memservertest.Serve(t, func(grpc.ServiceRegistrar) {}, append(l.ServerOptions(),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return handle(stream) }))...).Dial(t)
}

// end follows the log until the stream ends, and returns how it ended. OK is
// io.EOF.
func end(t *testing.T, conn *grpc.ClientConn) error {
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(), &logsv1.LogRequest{Follow: true})
	for err == nil {
		_, err = stream.Recv()
	}
	return err
}
