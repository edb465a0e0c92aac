package security

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	errToken   = status.Error(codes.Unauthenticated, "authorization: must be a valid bearer token")
	errExpired = status.Error(codes.Unauthenticated, "authorization: the token has expired")
	errRevoked = status.Error(codes.Unauthenticated, "authorization: the token was revoked")
)

// A Session is what a token stands for.
type Session struct {
	User string

	// Valid ends when the token is no longer valid. Its cause is the status
	// that ends the streams.
	Valid context.Context

	end context.CancelCauseFunc
}

// Sessions issues tokens and revokes them. It stands for your identity
// provider, and forgets everything when its process ends. The zero value is
// ready to use. Methods may be called concurrently.
type Sessions struct {
	mu      sync.Mutex
	byToken map[string]*Session
}

// Login returns a new token of the user, which is valid for the time life.
func (s *Sessions) Login(user string, life time.Duration) (token string) {
	token = rand.Text()
	valid, end := context.WithCancelCause(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byToken == nil {
		s.byToken = make(map[string]*Session)
	}
	s.byToken[token] = &Session{user, valid, end}
	time.AfterFunc(life, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.byToken, token)
		end(errExpired) // no effect if the token was revoked
	})
	return token
}

// Revoke ends all tokens of the user, and the contexts of the streams that
// [Auth.Stream] let in with them. It does not prevent the next Login.
func (s *Sessions) Revoke(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, session := range s.byToken {
		if session.User == user {
			delete(s.byToken, token)
			session.end(errRevoked)
		}
	}
}

// Lookup returns the session of a token, or nil if the token is not valid.
func (s *Sessions) Lookup(token string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byToken[token]
}
