package balancing_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/internal/memserver/memservertest"
)

// A stub is a LogService whose streams have one entry, and end as end says.
type stub struct {
	logsv1.UnimplementedLogServiceServer
	after []uint64    // of each request
	at    []time.Time // when each request arrived
	end   func(streams int) error
}

func (s *stub) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	s.after, s.at = append(s.after, req.GetAfter()), append(s.at, time.Now())
	if err := stream.Send(&logsv1.LogEntry{Sequence: req.GetAfter() + 1}); err != nil {
		return err
	}
	return s.end(len(s.after))
}

// followStub returns what Follow yields after sequence 7, until yield
// returns false.
func followStub(t *testing.T, ctx context.Context, s *stub, yield func(uint64) bool) (got []uint64, err error) {
	conn := memservertest.Dial(t, func(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, s) })
	for e, err := range balancing.Follow(ctx, logsv1.NewLogServiceClient(conn), 7) {
		if err != nil {
			return got, err
		}
		got = append(got, e.GetSequence())
		if !yield(e.GetSequence()) {
			break
		}
	}
	return got, nil
}

func forever(uint64) bool { return true }

func TestFollow_ComesBackAfterUnavailableAndOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{end: func(streams int) error {
			switch streams {
			case 1, 3:
				return status.Error(codes.Unavailable, "shutting down")
			case 2:
				return nil
			}
			return status.Error(codes.OutOfRange, "no longer held")
		}}
		start := time.Now()
		got, err := followStub(t, t.Context(), s, forever)
		require.EqualError(t, err, "rpc error: code = OutOfRange desc = no longer held")
		require.Equal(t, []uint64{8, 9, 10, 11}, got)
		require.Equal(t, []uint64{7, 8, 9, 10}, s.after)
		require.InDelta(t, 300*time.Millisecond, time.Since(start), float64(150*time.Millisecond), "three pauses")
	})
}

func TestFollow_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{end: func(int) error { return status.Error(codes.Unavailable, "") }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := followStub(t, ctx, s, forever)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String())
		require.Equal(t, time.Minute, time.Since(start))
		var pauses []time.Duration
		for i := range s.at[1:] {
			pauses = append(pauses, s.at[i+1].Sub(s.at[i]))
		}
		require.InDelta(t, 60*time.Millisecond, slices.Min(pauses), float64(10*time.Millisecond))
		require.InDelta(t, 140*time.Millisecond, slices.Max(pauses), float64(10*time.Millisecond))
	})
}

func TestFollow_BreakEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{end: func(int) error { return status.Error(codes.Unavailable, "") }}
		got, err := followStub(t, t.Context(), s, func(n uint64) bool { return n < 9 })
		require.NoError(t, err)
		require.Equal(t, []uint64{8, 9}, got)
		time.Sleep(time.Hour)
		require.Len(t, s.after, 2)
	})
}
