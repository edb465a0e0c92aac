package sessions

import (
	"context"
	"sync"
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

type serverStream = grpc.BidiStreamingServer[sessionsv1.Answer, sessionsv1.Message]

// A naive is a SessionService that keeps streams.
type naive struct {
	sessionsv1.UnimplementedSessionServiceServer
	streams sync.Map // by user
}

func (n *naive) Connect(stream serverStream) error {
	user := metadata.ValueFromIncomingContext(stream.Context(), "user")[0]
	n.streams.Store(user, stream)
	defer n.streams.Delete(user)
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (n *naive) Tell(user, text string) error {
	stream, ok := n.streams.Load(user)
	if !ok {
		return status.Error(codes.NotFound, user)
	}
	return stream.(serverStream).Send(&sessionsv1.Message{Text: text})
}

func serveNaive(t *testing.T, n *naive) sessionsv1.SessionServiceClient {
	return sessionsv1.NewSessionServiceClient(memservertest.Dial(t, func(r grpc.ServiceRegistrar) {
		sessionsv1.RegisterSessionServiceServer(r, n)
	}))
}

func TestNaive_FirstSessionTakesTheSecondWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(naive)
		c := serveNaive(t, n)
		ctx, leave := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), "user", "ann"))
		_, err := c.Connect(ctx)
		require.NoError(t, err)
		synctest.Wait()
		second := connect(t, c, "ann")
		require.NoError(t, n.Tell("ann", "hello"))
		require.Equal(t, "hello", receive(t, second).GetText(), "the second login replaces the first")
		leave()
		synctest.Wait()
		require.Equal(t, codes.NotFound.String(), status.Code(n.Tell("ann", "hello")).String())
	})
}

func TestNaive_SleepingUserBlocksWhoeverTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(naive)
		connect(t, serveNaive(t, n), "ann") // and does not receive
		told := make(chan struct{})
		go func() {
			defer close(told)
			for n.Tell("ann", "hello") == nil {
			}
		}()
		time.Sleep(24 * time.Hour)
		select {
		case <-told:
			require.Fail(t, "Tell has returned an error")
		default:
		}
	})
}
