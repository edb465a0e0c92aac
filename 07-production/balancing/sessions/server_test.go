package sessions

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	sessionsv1 "example.com/streams/07-production/balancing/sessions/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestTell_ReachesOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		c := serve(t, s)
		ann, bob := connect(t, c, "ann"), connect(t, c, "bob")
		require.NoError(t, s.Tell("ann", "one"))
		require.NoError(t, s.Tell("bob", "two"))
		require.NoError(t, s.Tell("ann", "three"))
		require.Equal(t, "one", receive(t, ann).GetText())
		require.Equal(t, "three", receive(t, ann).GetText())
		require.Equal(t, "two", receive(t, bob).GetText())
	})
}

func TestTell_UserOfAnotherServerIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := new(Server), new(Server)
		connect(t, serve(t, there), "ann")
		want := `rpc error: code = NotFound desc = user: "ann" has no session on this server`
		require.EqualError(t, here.Tell("ann", "hello"), want)
		_, err := here.Ask(t.Context(), "ann", "hello?")
		require.EqualError(t, err, want)
		require.NoError(t, there.Tell("ann", "hello"))
	})
}

func TestTell_FullQueueIsResourceExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		connect(t, serve(t, s), "ann") // and does not receive
		var err error
		for n := 0; err == nil; n++ {
			require.Less(t, n, 1000)
			err = s.Tell("ann", strings.Repeat("x", 4<<10))
			synctest.Wait()
		}
		want := "rpc error: code = ResourceExhausted desc = 16 messages wait for the user already"
		require.EqualError(t, err, want)
		require.Len(t, s.sessions["ann"].queue, 16)
		_, err = s.Ask(t.Context(), "ann", "are you there?")
		require.EqualError(t, err, want)
	})
}

func TestConnect_SecondSessionEndsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		c := serve(t, s)
		first := connect(t, c, "ann")
		second := connect(t, c, "ann")
		require.EqualError(t, end(first), "rpc error: code = Aborted desc = user: has opened another session")
		synctest.Wait() // the first handler has returned
		require.NoError(t, s.Tell("ann", "hello"))
		require.Equal(t, "hello", receive(t, second).GetText())
	})
}

// The handler of the first session waits in Send.
func TestConnect_SendThatWaitsDelaysTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		c := serve(t, s)
		first := connect(t, c, "ann")
		for s.Tell("ann", strings.Repeat("x", 4<<10)) == nil {
			synctest.Wait()
		}
		connect(t, c, "ann")
		time.Sleep(time.Hour)
		waiting := strings.Join(memservertest.Goroutines(), "\n")
		require.Equal(t, 2, strings.Count(waiting, "sessions.(*Server).Connect("), "handlers")

		var err error
		for err == nil {
			_, err = first.Recv()
		}
		require.EqualError(t, err, errElsewhere.Error())
	})
}

func TestConnect_HeaderMeansTheSessionIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		c := serve(t, s)
		stream, err := c.Connect(metadata.AppendToOutgoingContext(t.Context(), "user", "ann"))
		require.NoError(t, err)
		header, err := stream.Header()
		require.NoError(t, err)
		require.NotNil(t, header)
		require.NoError(t, s.Tell("ann", "hello"))
	})
}

func TestConnect_HalfCloseEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		ann := connect(t, serve(t, s), "ann")
		require.NoError(t, ann.CloseSend())
		require.Equal(t, io.EOF, end(ann))
		synctest.Wait()
		require.Empty(t, s.sessions)
	})
}

// At a deadline, the client's reset may come before the server's own timer.
func TestConnect_EndOfItsContextIsItsStatus(t *testing.T) {
	for timeout, want := range map[time.Duration][]codes.Code{
		time.Minute: {codes.Canceled}, time.Millisecond: {codes.DeadlineExceeded, codes.Canceled},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, ended := new(Server), make(chan error, 1)
			server := memservertest.Serve(t, func(r grpc.ServiceRegistrar) {
				sessionsv1.RegisterSessionServiceServer(r, s)
			}, grpc.ChainStreamInterceptor(
				func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
					err := next(srv, stream)
					ended <- err
					return err
				}))
			ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "user", "ann"), timeout)
			_, err := sessionsv1.NewSessionServiceClient(server.Dial(t)).Connect(ctx)
			require.NoError(t, err)
			time.Sleep(time.Second)
			cancel()
			require.Contains(t, want, status.Code(<-ended))
			synctest.Wait()
			require.Empty(t, s.sessions)
		})
	}
}

func TestConnect_NeedsOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, new(Server))
		for _, users := range [][]string{{}, {"ann", "bob"}} {
			stream := connect(t, c, users...)
			header, err := stream.Header()
			require.NoError(t, err)
			require.Nil(t, header)
			require.EqualError(t, end(stream), fmt.Sprintf(
				"rpc error: code = InvalidArgument desc = user: must be set once, got %d", len(users)))
		}
	})
}

func TestAsk_MatchesAnswersByID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		ann := connect(t, serve(t, s), "ann")
		first := ask(t.Context(), s, "ann", "your name?")
		synctest.Wait()
		second := ask(t.Context(), s, "ann", "your age?")
		one, two := receive(t, ann), receive(t, ann)
		require.Equal(t, "your name?", one.GetText())

		require.NoError(t, ann.Send(&sessionsv1.Answer{Id: two.GetId(), Text: "42"}))
		require.NoError(t, ann.Send(&sessionsv1.Answer{Id: 7, Text: "nobody has asked"}))
		require.NoError(t, ann.Send(&sessionsv1.Answer{Id: one.GetId(), Text: "Ann"}))
		require.Equal(t, answer{text: "Ann"}, <-first)
		require.Equal(t, answer{text: "42"}, <-second)
	})
}

func TestAsk_TimesOutAndIgnoresTheLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		ann := connect(t, serve(t, s), "ann")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := s.Ask(ctx, "ann", "still there?")
		require.EqualError(t, err, "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
		require.Equal(t, time.Second, time.Since(start))
		require.Empty(t, s.sessions["ann"].questions)

		next := ask(t.Context(), s, "ann", "and now?")
		for range 2 {
			m := receive(t, ann)
			require.NoError(t, ann.Send(&sessionsv1.Answer{Id: m.GetId(), Text: "to " + m.GetText()}))
		}
		require.Equal(t, answer{text: "to and now?"}, <-next)

		cancel()
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Ask(canceled, "ann", "and later?")
		require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")
	})
}

func TestAsk_EndOfTheSessionIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		ann := connect(t, serve(t, s), "ann")
		asked := ask(t.Context(), s, "ann", "still there?")
		receive(t, ann)
		require.NoError(t, ann.CloseSend())
		require.EqualError(t, (<-asked).err,
			`rpc error: code = Unavailable desc = the session of "ann" ended before the answer`)
	})
}

// A client that answers twice must not stop the receiver of its session.
func TestAsk_SecondAnswerIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Server)
		ann := connect(t, serve(t, s), "ann")
		for range 2 {
			asked := ask(t.Context(), s, "ann", "your name?")
			id := receive(t, ann).GetId()
			for range 3 {
				require.NoError(t, ann.Send(&sessionsv1.Answer{Id: id, Text: "Ann"}))
			}
			require.Equal(t, answer{text: "Ann"}, <-asked)
		}
	})
}
