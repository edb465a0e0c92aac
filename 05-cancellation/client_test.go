package cancellation

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// The server sends ticks in an order that the service does not allow.
func TestFollow_YieldsNothingOutOfOrder(t *testing.T) {
	for _, tt := range []struct {
		name       string
		after      *uint64
		symbols    []string
		sent, want []uint64
		message    string
	}{
		{"twice", nil, nil, []uint64{5, 5}, []uint64{5}, "the server sent tick 5 after tick 5"},
		{"back", nil, nil, []uint64{5, 6, 3}, []uint64{5, 6}, "the server sent tick 3 after tick 6"},
		{"ahead", nil, nil, []uint64{5, math.MaxUint64}, []uint64{5},
			"the server sent tick 18446744073709551615 after tick 5"},
		{"zero", nil, nil, []uint64{5, 0}, []uint64{5}, "the server sent tick 0 after tick 5"},
		{"gap", nil, nil, []uint64{5, 7}, []uint64{5}, "the server sent tick 7 after tick 5"},
		{"gap after the request", new(uint64(4)), nil, []uint64{6}, nil, "the server sent tick 6 after tick 4"},
		{"gap for some symbols", nil, []string{"ACME"}, []uint64{5, 10, 10}, []uint64{5, 10},
			"the server sent tick 10 after tick 10"},
		{"older than the request", new(uint64(9)), []string{"ACME"}, []uint64{9}, nil,
			"the server sent tick 9 after tick 9"},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			c := serveTicker(t, stub{OnWatch: func(_ *tickerv1.WatchRequest, stream serverStream) error {
				for _, n := range tt.sent {
					if err := stream.Send(&tickerv1.Tick{Sequence: n}); err != nil {
						return err
					}
				}
				<-stream.Context().Done()
				return stream.Context().Err()
			}}).client(t)
			req := &tickerv1.WatchRequest{After: tt.after, Symbols: tt.symbols}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var got []uint64
			var last error
			for tick, err := range Follow(ctx, c, req, FollowOptions{}) {
				if last = err; err == nil {
					got = append(got, tick.GetSequence())
				}
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, codes.DataLoss.String(), status.Code(last).String(), "got %v", last)
			require.ErrorContains(t, last, tt.message)
		})
	}
}

func TestTicks_LoopMayChangeTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveTicker(t, new(Exchange)).client(t)
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		n := 0
		for tick, err := range Ticks(ctx, c, &tickerv1.WatchRequest{}, time.Minute) {
			if err != nil {
				require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
				break
			}
			n++
			proto.Reset(tick)
		}
		require.Equal(t, 3, n)
	})
}
