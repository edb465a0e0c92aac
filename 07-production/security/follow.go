package security

import (
	"context"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const (
	maxWait    = time.Second // before the next call
	maxRefused = 3           // calls in a row without an entry or a second
)

// Follow yields the entries that req asks for, each of them once, and makes
// the next call when the token or the connection has ended. It waits up to a
// second before that call, and calls onRetry before the wait, with the status
// of the call that has ended.
//
// The last pair that Follow yields is an error: Canceled or DeadlineExceeded
// if ctx has ended, Unauthenticated if three tokens in a row were refused,
// each within a second and without an entry, otherwise the first status that is neither Unauthenticated nor
// Unavailable. If req.follow is false, Follow ends without an error after
// the newest entry.
func Follow(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, onRetry func(error),
) iter.Seq2[*logsv1.LogEntry, error] {
	return func(yield func(*logsv1.LogEntry, error) bool) {
		req, refused := proto.CloneOf(req), 0
		for {
			opened, accepted := time.Now(), false
			var failure error
			for e, err := range logs.Tail(ctx, c, req) {
				if failure = err; err != nil {
					break
				}
				accepted = true
				if !yield(e, nil) {
					return
				}
			}
			if failure == nil {
				return
			}
			accepted = accepted || time.Since(opened) > time.Second
			if refused++; accepted || status.Code(failure) == codes.Unavailable {
				refused = 0
			}
			if !mayRetry(failure) || refused == maxRefused {
				yield(nil, failure)
				return
			}
			onRetry(failure)
			select {
			case <-time.After(rand.N(maxWait)): // so that clients do not come back together
			case <-ctx.Done():
				yield(nil, status.FromContextError(ctx.Err()).Err())
				return
			}
		}
	}
}

func mayRetry(err error) bool {
	code := status.Code(err)
	return code == codes.Unauthenticated || code == codes.Unavailable
}

// Credentials sends a token with each call. It implements
// credentials.PerRPCCredentials, and may be used concurrently if Token may.
type Credentials struct {
	// Token returns a token for the next call. If the user may no longer
	// call, it returns PermissionDenied, which ends [Follow].
	Token func(context.Context) (string, error)
}

// GetRequestMetadata is called by gRPC when it opens a stream.
func (c Credentials) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := c.Token(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity makes gRPC refuse to send the token over an insecure
// connection.
func (c Credentials) RequireTransportSecurity() bool { return true }
