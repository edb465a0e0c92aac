package sessions_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"example.com/streams/07-production/balancing/sessions"
	sessionsv1 "example.com/streams/07-production/balancing/sessions/v1"
	"example.com/streams/internal/memserver"
)

type stream = grpc.BidiStreamingClient[sessionsv1.Answer, sessionsv1.Message]

// connect opens a session.
func connect(ctx context.Context, c sessionsv1.SessionServiceClient, user string) (stream, error) {
	s, err := c.Connect(metadata.AppendToOutgoingContext(ctx, "user", user))
	if err != nil {
		return nil, err
	}
	header, err := s.Header() // arrives when the server knows the session
	if header == nil && err == nil {
		_, err = s.Recv() // how the session was refused
	}
	return s, err
}

// answer answers each question until the session ends.
func answer(s stream, text string) {
	for {
		m, err := s.Recv()
		if err != nil {
			return
		}
		if m.GetId() == 0 {
			fmt.Println(m.GetText())
			continue
		}
		if err := s.Send(&sessionsv1.Answer{Id: m.GetId(), Text: text}); err != nil {
			return
		}
	}
}

func ExampleServer_Ask() {
	server := new(sessions.Server)
	conn, stop, err := memserver.Dial(func(r grpc.ServiceRegistrar) {
		sessionsv1.RegisterSessionServiceServer(r, server)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	c := sessionsv1.NewSessionServiceClient(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, user := range []string{"ann", "bob"} {
		s, err := connect(ctx, c, user)
		if err != nil {
			fmt.Println(err)
			return
		}
		go answer(s, user+": yes")
	}

	for _, user := range []string{"ann", "bob", "cid"} {
		text, err := server.Ask(ctx, user, "are you there?")
		fmt.Println(text, err)
	}
	// Output:
	// ann: yes <nil>
	// bob: yes <nil>
	//  rpc error: code = NotFound desc = user: "cid" has no session on this server
}
