package fleet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
)

func TestDialVirtual_TakesTheServersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fleet.Fleet)
		f.Start("a", "b", "c")
		for range 6 {
			conn, err := f.DialVirtual()
			require.NoError(t, err)
			conn.Connect()
			synctest.Wait()
		}
		require.Equal(t, []int64{2, 2, 2}, f.Connections("a", "b", "c"))
		require.NoError(t, f.Close())
		require.Equal(t, []int64{0, 0, 0}, f.Connections("a", "b", "c"))
	})
}

func TestClose_ReturnsWhatAFollowerMissed(t *testing.T) {
	for name, tt := range map[string]struct {
		sent []uint64 // sequences
		end  error
		want string
		stay time.Duration // of a handler after its context
	}{
		"a stream ended": {nil, status.Error(codes.DataLoss, "log lost"), "rpc error: code = DataLoss desc = log lost", 0},
		"twice":          {[]uint64{1, 1}, nil, "a follower got entry 1 after entry 1", 0},
		"missed":         {[]uint64{1, 3}, nil, "a follower got entry 3 after entry 1", 0},
		"a server":       {[]uint64{1}, nil, "server a: a handler still runs 1s after its context ended", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stub := func(_ any, s grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
					for _, n := range tt.sent {
						if err := s.SendMsg(&logsv1.LogEntry{Sequence: n}); err != nil {
							return err
						}
					}
					if tt.end == nil {
						<-s.Context().Done()
						time.Sleep(tt.stay)
					}
					return tt.end
				}
				f := &fleet.Fleet{Options: func(*balancing.Lifetime) []grpc.ServerOption {
					return []grpc.ServerOption{grpc.ChainStreamInterceptor(stub)}
				}}
				f.Start("a")
				require.NoError(t, f.Follow(balancing.PickFirst, 1, 1))
				time.Sleep(time.Second)
				require.EqualError(t, f.Close(), tt.want)
				time.Sleep(tt.stay)
			})
		})
	}
}
