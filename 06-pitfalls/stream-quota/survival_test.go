package streamquota

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedPool(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed:  pitfalltest.NotApplicable("the pool has no input"),
		InputNeverEnds: pitfalltest.NotApplicable("the pool has no input"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, pitfalltest.Ends(nil))
			require.NoError(t, echoOne(ctx, p))
			requireUnused(t, p, d)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, pitfalltest.Ends(unavailable))
			require.EqualError(t, echoOne(ctx, p), unavailable.Error())
			requireUnused(t, p, d)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the pool sends nothing"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, pitfalltest.Idle())
			ctx, cancel := context.WithCancel(ctx)
			for range 2 * perConn {
				_, err := p.Open(ctx)
				require.NoError(t, err)
			}
			require.Equal(t, 2, d.open())
			cancel()
			requireUnused(t, p, d)
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, pitfalltest.Idle())
			_, err := p.Open(pitfalltest.Canceled(ctx))
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			requireUnused(t, p, d)

			limited, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, err = p.Open(limited)
			require.NoError(t, err)
			time.Sleep(time.Minute)
			requireUnused(t, p, d)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, pitfalltest.Idle())
			stream, err := p.Open(ctx)
			require.NoError(t, err)
			pitfalltest.Cut(d.Network)
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			requireUnused(t, p, d)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, &service.Server{})
			d.Refuse(1)
			require.ErrorContains(t, echoOne(ctx, p), "connection refused")
			time.Sleep(time.Minute)
			require.NoError(t, echoOne(ctx, p), "the server is back")
			requireUnused(t, p, d)

			p = &FixedPool{dial: func() (*grpc.ClientConn, error) { return nil, errors.New("no such target") }}
			require.EqualError(t, echoOne(ctx, p), "no such target")

			p, d = pool(t, &service.Server{})
			d.opts = append(d.opts, grpc.WithStreamInterceptor(func(
				context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, grpc.Streamer, ...grpc.CallOption,
			) (grpc.ClientStream, error) {
				return nil, errors.New("refused by an interceptor of the client")
			}))
			require.EqualError(t, echoOne(ctx, p), "refused by an interceptor of the client")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, &service.Server{})
			pitfalltest.InARow(func(int) {
				require.NoError(t, echoOne(ctx, p))
				requireUnused(t, p, d)
			})
			require.Len(t, d.conns, 1, "the connection is used again")
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			p, d := pool(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error { return echoOne(ctx, p) }) {
				require.NoError(t, err)
			}
			requireUnused(t, p, d)
		}),
	}.Run(t)
}

func pool(t *testing.T, s *service.Server) (*FixedPool, *dialer) {
	d := newDialer(t, s)
	return &FixedPool{dial: d.dial}, d
}

// echoOne opens a stream, sends a number, and receives until the stream ends.
func echoOne(ctx context.Context, p *FixedPool) error {
	stream, err := p.Open(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(&pitfallsv1.Number{Value: 1}) // Recv returns the status
	_ = stream.CloseSend()                        // always nil
	_, err = service.Values(stream)
	return err
}

// open returns how many connections are not closed.
func (d *dialer) open() (n int) {
	for _, conn := range d.conns {
		if conn.GetState() != connectivity.Shutdown {
			n++
		}
	}
	return n
}

// requireUnused requires that the pool has one connection, and that no stream
// counts as open on it.
func requireUnused(t *testing.T, p *FixedPool, d *dialer) {
	t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	for range perConn {
		_, err := p.Open(ctx)
		require.NoError(t, err)
	}
	require.Equal(t, 1, d.open(), "connections")
	cancel()
	synctest.Wait()
}
