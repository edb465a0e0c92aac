package security

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Quotas limits the open streams of a user and the rate of their messages, over
// all connections to one server. Set the fields before the first call. Methods may be called concurrently.
type Quotas struct {
	Streams  int           // open at once, at least 1
	Interval time.Duration // between messages, in both directions together
	Burst    int           // messages that need not wait, at least 1

	mu sync.Mutex
	// users has an entry for each user who ever opened a stream. Strangers do not
	// reach it, because Auth comes first.
	users map[string]*usage
}

type usage struct {
	streams int
	next    time.Time // when the next message is due, without the burst
}

// Stream is an interceptor that comes after [Auth.Stream]. It refuses a
// stream too many, and slows the messages of a user who exceeds the rate. A
// sender who is slowed may notice it by flow control.
//
// ResourceExhausted: the user has as many open streams as Quotas allows.
func (q *Quotas) Stream(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	u, err := q.open(User(stream.Context()))
	if err != nil {
		return err
	}
	defer q.close(u) // also after a panic
	return next(srv, paced{stream, q, u})
}

func (q *Quotas) open(user string) (*usage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.users == nil {
		q.users = make(map[string]*usage)
	}
	u := q.users[user]
	if u == nil {
		u = new(usage)
		q.users[user] = u
	}
	if u.streams >= q.Streams {
		return nil, status.Errorf(codes.ResourceExhausted,
			"streams: must be at most %d per user, got %d", q.Streams, u.streams+1)
	}
	u.streams++
	return u, nil
}

func (q *Quotas) close(u *usage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u.streams--
}

// wait returns when the next message of the user is due, or with an error when
// ctx has ended.
func (q *Quotas) wait(ctx context.Context, u *usage) error {
	q.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-time.Duration(q.Burst) * q.Interval); u.next.Before(earliest) {
		u.next = earliest
	}
	u.next = u.next.Add(q.Interval)
	due := u.next.Sub(now)
	q.mu.Unlock()
	if due <= 0 {
		return nil
	}
	select {
	case <-time.After(due):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// A paced stream waits before it sends, and after it has received.
type paced struct {
	grpc.ServerStream
	quotas *Quotas
	usage  *usage
}

func (s paced) SendMsg(m any) error {
	if err := s.quotas.wait(s.Context(), s.usage); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

func (s paced) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.quotas.wait(s.Context(), s.usage)
}
