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
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

func TestCheckAtOpen_RevokedUserReadsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		lookups := 0
		auth := &Auth{Lookup: func(token string) *Session { lookups++; return f.sessions.Lookup(token) }}
		server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
			logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: f.log})
		}, grpc.ChainStreamInterceptor(auth.CheckAtOpen))
		token := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+f.sessions.Login("ada", time.Hour))
		stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(token, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		f.log.Append("before", false)
		_, err = stream.Recv()
		require.NoError(t, err)

		f.sessions.Revoke("ada")
		for range 24 {
			time.Sleep(time.Hour)
			f.log.Append("secret", false)

			entry, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, "secret", entry.GetMessage())
		}
		require.Equal(t, 1, lookups)
	})
}

func TestStream_EndsWithItsToken(t *testing.T) {
	for name, tt := range map[string]struct {
		end     func(*Sessions)
		after   time.Duration
		message string
	}{
		"expired": {func(*Sessions) {}, time.Hour, "authorization: the token has expired"},
		"revoked": {func(s *Sessions) { s.Revoke("ada") }, time.Minute, "authorization: the token was revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				stream := follow(t, f.dial(t, f.serveLog(t), f.as("ada")))
				start := time.Now()
				time.AfterFunc(time.Minute, func() { tt.end(f.sessions) })

				_, err := stream.Recv()

				require.Equal(t, codes.Unauthenticated, status.Code(err), "got %v", err)
				require.Equal(t, tt.message, status.Convert(err).Message())
				require.Equal(t, tt.after, time.Since(start))
			})
		})
	}
}

func TestStream_EndsIfRevokedDuringTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sessions Sessions
		auth := &Auth{Lookup: func(token string) *Session {
			session := sessions.Lookup(token)
			sessions.Revoke("ada")
			return session
		}}
		server := memservertest.Serve(t, func(s grpc.ServiceRegistrar) {
			logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: logs.NewLog(1)})
		}, grpc.ChainStreamInterceptor(auth.Stream))
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+sessions.Login("ada", time.Hour))
		stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.EqualError(t, err, errRevoked.Error())
	})
}

func TestRevoke_EndsOnlyTheStreamsOfTheUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.serveLog(t)
		client := f.dial(t, server, f.as("ada")) // a token for each stream
		first, second, bob := follow(t, client), follow(t, client), follow(t, f.dial(t, server, f.as("bob")))
		synctest.Wait()

		f.sessions.Revoke("ada")
		for _, ada := range []grpc.ServerStreamingClient[logsv1.LogEntry]{first, second} {
			_, err := ada.Recv()
			require.Equal(t, codes.Unauthenticated, status.Code(err), "got %v", err)
		}

		f.log.Append("next", false)
		_, err := bob.Recv()
		require.NoError(t, err)
	})
}

// Unary calls have the same check: the health service has one.
func TestAuth_RefusesWhatIsNotAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		auth := &Auth{Lookup: f.sessions.Lookup}
		s := serve.New(grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))
		client := healthv1.NewHealthClient(servetest.Start(t, s).Dial(t))
		expired := f.sessions.Login("ada", time.Hour)
		time.Sleep(time.Hour)
		valid, revoked := f.sessions.Login("ada", time.Hour), f.sessions.Login("bob", time.Hour)
		f.sessions.Revoke("bob")
		for _, header := range [][]string{
			nil, {""}, {"Bearer"}, {"Bearer "}, {"Bearer guess"}, {valid}, {"Basic " + valid},
			{"Bearer " + expired}, {"Bearer " + revoked}, {"Bearer " + valid, "Bearer " + valid},
		} {
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": header})
			_, err := client.Check(ctx, &healthv1.HealthCheckRequest{})
			require.EqualError(t, err, errToken.Error(), "unary, %q", header)
			stream, err := client.Watch(ctx, &healthv1.HealthCheckRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.EqualError(t, err, errToken.Error(), "stream, %q", header)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+valid)
		_, err := client.Check(ctx, &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
	})
}

func TestUser_ReachesTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.serve(t, stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
			ctx := stream.Context()
			return stream.Send(&logsv1.LogEntry{Message: User(ctx) + " on " + Peer(ctx).Subject.CommonName})
		}})
		entry, err := follow(t, f.dial(t, server, f.as("ada"))).Recv()
		require.NoError(t, err)
		require.Equal(t, "ada on dashboard", entry.GetMessage())
		require.Empty(t, User(t.Context()))

		token := metadata.Pairs("authorization", "Bearer "+f.sessions.Login("ada", time.Hour))
		user, err := (&Auth{f.sessions.Lookup}).Unary(metadata.NewIncomingContext(t.Context(), token), nil, nil,
			func(ctx context.Context, _ any) (any, error) { return User(ctx), nil })
		require.NoError(t, err)
		require.Equal(t, "ada", user)
		require.Nil(t, Peer(t.Context()))
	})
}

// The handler ignores its context and the error of Send.
func TestStream_EndsAHandlerThatDoesNotLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.serve(t, stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
			for range 120 { // two hours
				_ = stream.Send(new(logsv1.LogEntry))
				time.Sleep(time.Minute)
			}
			return nil
		}})
		n, err := failure(follow(t, f.dial(t, server, f.as("ada"))))
		require.Equal(t, codes.Unauthenticated, status.Code(err), "got %v", err)
		require.Contains(t, []int{60, 61}, n, "entries in the first hour")
	})
}

// The message that arrives after the hour does not reach the handler, which
// already waits for it.
func TestStream_ReceivesNothingAfterItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		received, ended, start := 0, time.Duration(0), time.Now()
		server := f.serve(t, logsv1.UnimplementedLogServiceServer{}, grpc.UnknownServiceHandler(
			func(_ any, stream grpc.ServerStream) error {
				for stream.RecvMsg(new(logsv1.LogRequest)) == nil {
					received++
				}
				ended = time.Since(start)
				return nil
			}))
		stream, err := server.Dial(t, f.tls(), f.as("ada")).NewStream(t.Context(),
			&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/any/Method")
		require.NoError(t, err)
		for range 3 {
			require.NoError(t, stream.SendMsg(new(logsv1.LogRequest)))
			time.Sleep(25 * time.Minute)
		}
		require.NoError(t, stream.SendMsg(new(logsv1.LogRequest)))
		require.EqualError(t, stream.RecvMsg(new(logsv1.LogEntry)), errExpired.Error())
		require.Equal(t, 3, received)
		require.Equal(t, 75*time.Minute, ended, "the Recv that waited is not interrupted")
	})
}

func TestStream_PassesOnHowTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		left := make(chan error, 1)
		server := f.serve(t, logsv1.UnimplementedLogServiceServer{}, grpc.UnknownServiceHandler(
			func(_ any, stream grpc.ServerStream) error {
				left <- stream.RecvMsg(new(logsv1.LogRequest))
				return nil
			}))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := server.Dial(t, f.tls(), f.as("ada")).NewStream(ctx,
			&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/any/Method")
		require.NoError(t, err)
		synctest.Wait()
		cancel()
		require.EqualError(t, <-left, "rpc error: code = Canceled desc = context canceled")
	})
}

// A Send that waits for the client is not interrupted. Here only the age of
// the connection ends it.
func TestStream_UnreadOutlivesItsToken(t *testing.T) {
	for name, tt := range map[string]struct {
		age  time.Duration
		code codes.Code
		ends bool
	}{
		"without a limit of age": {0, codes.Unauthenticated, false},
		"with a limit of age":    {2 * time.Hour, codes.Unavailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.age = tt.age
				ended := make(chan struct{})
				stream := follow(t, f.dial(t, f.serve(t, stub{
					OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
						defer close(ended)
						return (&logs.LogServer{Log: f.log}).StreamLogs(req, stream)
					},
				}), f.as("ada")))
				for range 5000 {
					f.log.Append(strings.Repeat("x", 200), false)
				}
				time.Sleep(24 * time.Hour)

				select {
				case <-ended:
					require.True(t, tt.ends, "the handler has returned")
				default:
					require.False(t, tt.ends, "the handler still runs")
				}
				n, err := failure(stream)
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.Less(t, n, 5000)
				require.Positive(t, n, "what was under way")
			})
		})
	}
}

func TestSessions_ForgetWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Sessions)
		s.Login("ada", time.Hour)
		s.Login("bob", time.Hour)
		s.Revoke("bob")
		held := func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.byToken)
		}
		require.Equal(t, 1, held())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Zero(t, held())
	})
}

func TestCredentials_AreNotSentWithoutTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := memservertest.Serve(t, func(grpc.ServiceRegistrar) {})
		_, err := server.NewClient(f.as("ada"))
		require.EqualError(t, err, "grpc: the credentials require transport level security "+
			"(use grpc.WithTransportCredentials() to set)")

		creds := grpc.PerRPCCredentials(Credentials{func(context.Context) (string, error) { return "secret", nil }})
		_, err = logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{}, creds)
		require.EqualError(t, err, "rpc error: code = Unauthenticated "+
			"desc = transport: cannot send secure credentials on an insecure connection")
	})
}
