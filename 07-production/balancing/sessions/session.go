package sessions

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sessionsv1 "example.com/streams/07-production/balancing/sessions/v1"
)

// A session is one stream. Only its handler sends, so others use the queue.
type session struct {
	ctx   context.Context // its cause says why the session has ended
	end   context.CancelCauseFunc
	queue chan *sessionsv1.Message

	mu        sync.Mutex
	questions map[uint64]chan<- string // that are open, by id
	last      uint64                   // id
}

func newSession(ctx context.Context) *session {
	s := &session{
		queue:     make(chan *sessionsv1.Message, 16),
		questions: map[uint64]chan<- string{},
	}
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s
}

// enqueue hands m to the handler, which sends it.
func (s *session) enqueue(m *sessionsv1.Message) error {
	select {
	case s.queue <- m:
		return nil
	default:
		return status.Errorf(codes.ResourceExhausted, "%d messages wait for the user already", cap(s.queue))
	}
}

// open returns the id of a new question, and where its answer arrives.
func (s *session) open() (id uint64, answered <-chan string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	c := make(chan string, 1) // so that receive never waits
	s.questions[s.last] = c
	return s.last, c
}

func (s *session) close(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.questions, id)
}

// receive hands each answer to the question with its id, until the stream
// ends.
func (s *session) receive(stream grpc.BidiStreamingServer[sessionsv1.Answer, sessionsv1.Message]) {
	for {
		answer, err := stream.Recv()
		if err != nil {
			s.end(err)
			return
		}
		s.mu.Lock()
		if c := s.questions[answer.GetId()]; c != nil {
			c <- answer.GetText()
			delete(s.questions, answer.GetId()) // one answer for each question
		}
		s.mu.Unlock()
	}
}

// err returns the status of a session that has ended.
func (s *session) err() error {
	cause := context.Cause(s.ctx)
	switch _, ok := status.FromError(cause); {
	case errors.Is(cause, io.EOF): // of the client's half
		return nil
	case ok:
		return cause
	default:
		return status.FromContextError(cause).Err()
	}
}
