package security

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// An Auth refuses calls without a valid token. Its methods are interceptors,
// and may be called concurrently.
type Auth struct {
	// Lookup returns the session of a token, or nil if the token is not
	// valid.
	Lookup func(token string) *Session
}

// Stream is an interceptor for streams. It tells the handler who the user
// is, and ends its context when the token is no longer valid.
//
// Unauthenticated: the call has no valid token, or the token has expired or
// was revoked while the stream was open.
func (a *Auth) Stream(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	session, err := a.session(stream.Context())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(withUser(stream.Context(), session.User))
	defer cancel(nil)
	defer context.AfterFunc(session.Valid, func() { cancel(context.Cause(session.Valid)) })()
	err = next(srv, guarded{streamOf{stream, ctx}, session.Valid})
	if session.Valid.Err() != nil {
		return context.Cause(session.Valid) // whatever the handler made of it
	}
	return err
}

// Unary is an interceptor for unary calls. It tells the handler who the user
// is.
//
// Unauthenticated: the call has no valid token.
func (a *Auth) Unary(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (any, error) {
	session, err := a.session(ctx)
	if err != nil {
		return nil, err
	}
	return next(withUser(ctx, session.User), req)
}

func (a *Auth) session(ctx context.Context) (*Session, error) {
	header := strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ",")
	token, isBearer := strings.CutPrefix(header, "Bearer ")
	if session := a.Lookup(token); isBearer && session != nil {
		return session, nil
	}
	return nil, errToken
}

type userKey struct{}

func withUser(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// User returns who called, or "" if no interceptor of Auth has run.
func User(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

// A streamOf is a stream with another context.
type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamOf) Context() context.Context { return s.ctx }

// A guarded stream sends no message, and returns none that it has received,
// once the token has ended, for handlers that do not look at their context. A
// call that waits for the client is not interrupted.
type guarded struct {
	streamOf
	valid context.Context
}

func (s guarded) SendMsg(m any) error {
	if s.valid.Err() != nil {
		return context.Cause(s.valid)
	}
	return s.ServerStream.SendMsg(m)
}

func (s guarded) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if s.valid.Err() != nil { // the message may have come too late
		return context.Cause(s.valid)
	}
	return err
}
