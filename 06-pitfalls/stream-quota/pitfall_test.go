package streamquota

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
)

// limit is the number of streams that the server allows on a connection.
const limit = 10

func TestBroken_OneStreamTooManyWaitsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: newDialer(t, &service.Server{}).dial}
		for range limit - 1 {
			_, err := p.Open(t.Context())
			require.NoError(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		last, err := p.Open(ctx)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error { _, err := p.Open(t.Context()); return err })

		call.StillRuns(t, 24*time.Hour)
		require.NoError(t, last.Send(&pitfallsv1.Number{}))
		_, err = last.Recv()
		require.NoError(t, err, "the open streams go on")
		cancel() // ends the last of the open streams
		require.NoError(t, call.Err())
	})
}

func TestBroken_UnaryCallWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service.Server)
		d := newDialer(t, s)
		p := &BrokenPool{dial: d.dial}
		for range limit {
			_, err := p.Open(t.Context())
			require.NoError(t, err)
		}

		const late = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"
		require.EqualError(t, ping(t, d.conns[0]), late)
		_, err := p.Open(pitfalltest.WithTimeout(t, time.Minute))
		require.EqualError(t, err, late)
		synctest.Wait()
		require.EqualValues(t, limit, s.OpenStreams(), "the server has not seen the call")
	})
}

func TestFixed_OpensOneMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, &service.Server{})
		p := &FixedPool{dial: d.dial}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()

		for range limit + 1 {
			_, err := p.Open(ctx)
			require.NoError(t, err)
			for _, conn := range d.conns {
				require.NoError(t, ping(t, conn), "there is room for a unary call")
			}
		}

		require.Zero(t, time.Since(start))
		require.Len(t, d.conns, 2)
		client := pitfallsv1.NewPitfallServiceClient(d.conns[0])
		require.Equal(t, limit+1, pitfalltest.OpenStreams(t, client))
	})
}

func TestServer_HasNoLimitByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := pitfalltest.Serve(t, &service.Server{}).Dial(t)
		client := pitfallsv1.NewPitfallServiceClient(conn)
		for range 1000 {
			_, err := client.Echo(t.Context())
			require.NoError(t, err)
		}
		require.NoError(t, ping(t, conn))
		require.Equal(t, 1000, pitfalltest.OpenStreams(t, client))
	})
}

// ping makes a unary call with a deadline of one minute.
func ping(t *testing.T, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(ctx, &pitfallsv1.PingRequest{})
	return err
}

// A dialer opens connections, through a network, to a server with the limit.
type dialer struct {
	*faultnet.Network
	server memservertest.Server
	opts   []grpc.DialOption
	conns  []*grpc.ClientConn // all that were opened
}

func newDialer(t *testing.T, s *service.Server) *dialer {
	server := pitfalltest.Serve(t, s, grpc.MaxConcurrentStreams(limit))
	d := &dialer{Network: faultnet.New(server.DialContext), server: server}
	t.Cleanup(func() {
		for _, conn := range d.conns {
			_ = conn.Close() // fails only if the pool has closed it
		}
	})
	return d
}

func (d *dialer) dial() (*grpc.ClientConn, error) {
	conn, err := d.server.NewClient(append(d.opts, grpc.WithContextDialer(d.DialContext))...)
	if err == nil {
		d.conns = append(d.conns, conn)
	}
	return conn, err
}

// The documentation of ClientStream.Context says that a call of Context
// disables later retries.
func TestOpen_LeavesRetriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		p, d := pool(t, &service.Server{OnEcho: func(echo) error {
			if attempts++; attempts == 1 {
				return status.Error(codes.Unavailable, "restarting")
			}
			return nil
		}})
		d.opts = append(d.opts, pitfalltest.RetryOnce())
		require.NoError(t, echoOne(t.Context(), p))
		requireUnused(t, p, d)
	})
}

type echo = grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]
