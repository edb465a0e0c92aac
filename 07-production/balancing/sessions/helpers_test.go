package sessions

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	sessionsv1 "example.com/streams/07-production/balancing/sessions/v1"
	"example.com/streams/internal/memserver/memservertest"
)

type clientStream = grpc.BidiStreamingClient[sessionsv1.Answer, sessionsv1.Message]

// serve serves s in memory and returns a client.
func serve(t *testing.T, s *Server) sessionsv1.SessionServiceClient {
	return sessionsv1.NewSessionServiceClient(memservertest.Dial(t, func(r grpc.ServiceRegistrar) {
		sessionsv1.RegisterSessionServiceServer(r, s)
	}))
}

// connect opens a session, and returns when the server knows it.
func connect(t *testing.T, c sessionsv1.SessionServiceClient, users ...string) clientStream {
	ctx := t.Context()
	for _, user := range users {
		ctx = metadata.AppendToOutgoingContext(ctx, "user", user)
	}
	stream, err := c.Connect(ctx)
	require.NoError(t, err)
	synctest.Wait()
	return stream
}

// receive returns the next message.
func receive(t *testing.T, stream clientStream) *sessionsv1.Message {
	m, err := stream.Recv()
	require.NoError(t, err)
	return m
}

// end returns how a session ended that has no more messages.
func end(stream clientStream) error {
	_, err := stream.Recv()
	return err
}

// An answer is what Ask returned.
type answer struct {
	text string
	err  error
}

// ask calls Ask in a goroutine.
func ask(ctx context.Context, s *Server, user, text string) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		text, err := s.Ask(ctx, user, text)
		c <- answer{text, err}
	}()
	return c
}
