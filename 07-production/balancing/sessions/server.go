// Package sessions finds the stream of one user among the many streams of a
// server, in order to send to it and to ask it.
package sessions

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	sessionsv1 "example.com/streams/07-production/balancing/sessions/v1"
)

var errElsewhere = status.Error(codes.Aborted, "user: has opened another session")

// A Server implements SessionService. It knows the sessions of its own
// clients, and not those of other servers. The zero value is ready to use.
// Methods may be called concurrently.
type Server struct {
	sessionsv1.UnimplementedSessionServiceServer

	mu       sync.Mutex
	sessions map[string]*session // by user
}

// Connect is the session of one user. It sends the header when the server
// knows the session.
//
// OK: the client has closed its half. InvalidArgument: the metadata user is
// not set once. Aborted: the user has opened another session; a Send that
// waits for the client delays this. Canceled, DeadlineExceeded: the context of
// the call ended. Unavailable: the connection closed while a Send waited.
func (s *Server) Connect(stream grpc.BidiStreamingServer[sessionsv1.Answer, sessionsv1.Message]) error {
	user := metadata.ValueFromIncomingContext(stream.Context(), "user")
	if len(user) != 1 {
		return status.Errorf(codes.InvalidArgument, "user: must be set once, got %d", len(user))
	}
	ss := newSession(stream.Context())
	s.add(user[0], ss)
	defer s.remove(user[0], ss)
	if err := stream.SendHeader(nil); err != nil {
		return err
	}

	go ss.receive(stream) // until the stream has ended
	for {
		select {
		case m := <-ss.queue:
			if err := stream.Send(m); err != nil {
				return err
			}
		case <-ss.ctx.Done():
			return ss.err()
		}
	}
}

// add makes ss the session of the user, and ends the older one.
func (s *Server) add(user string, ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.sessions[user]; old != nil {
		old.end(errElsewhere)
	}
	if s.sessions == nil {
		s.sessions = map[string]*session{}
	}
	s.sessions[user] = ss
}

// remove removes ss, unless the user has a newer one.
func (s *Server) remove(user string, ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss.end(nil)
	if s.sessions[user] == ss {
		delete(s.sessions, user)
	}
}

// find returns the session of the user.
func (s *Server) find(user string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ss := s.sessions[user]; ss != nil {
		return ss, nil
	}
	return nil, status.Errorf(codes.NotFound, "user: %q has no session on this server", user)
}

// Tell sends a text to the user. It does not wait, and a nil error does not
// mean that the text has arrived.
//
// NotFound: the user has no session on this server. ResourceExhausted: 16
// messages wait for the user already.
func (s *Server) Tell(user, text string) error {
	ss, err := s.find(user)
	if err != nil {
		return err
	}
	return ss.enqueue(&sessionsv1.Message{Text: text})
}

// Ask sends a question to the user and returns the answer.
//
// NotFound: the user has no session on this server. ResourceExhausted: 16
// messages wait for the user already. Unavailable: the session ended before
// Ask had the answer, and the user may have seen the question. Canceled,
// DeadlineExceeded: ctx ended before Ask had the answer.
func (s *Server) Ask(ctx context.Context, user, text string) (answer string, err error) {
	ss, err := s.find(user)
	if err != nil {
		return "", err
	}
	id, answered := ss.open()
	defer ss.close(id)
	if err := ss.enqueue(&sessionsv1.Message{Id: id, Text: text}); err != nil {
		return "", err
	}
	select {
	case answer := <-answered:
		return answer, nil
	case <-ss.ctx.Done():
		return "", status.Errorf(codes.Unavailable, "the session of %q ended before the answer", user)
	case <-ctx.Done():
		return "", status.FromContextError(ctx.Err()).Err()
	}
}
