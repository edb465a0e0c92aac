package bubble

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A recorder is the stream of a handler that the test calls directly. Its
// other methods panic, because the embedded stream is nil.
type recorder struct {
	grpc.ServerStream
	ctx context.Context
	got []int64
}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Send(n *pitfallsv1.Number) error {
	r.got = append(r.got, n.GetValue())
	return nil
}

func TestCount_CanBeCalledDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := &recorder{ctx: t.Context()}
		require.NoError(t, new(Server).Count(&pitfallsv1.CountRequest{To: 3}, stream))
		require.Equal(t, []int64{1, 2, 3}, stream.got)
		require.Panics(t, func() { _ = stream.SendHeader(nil) })
	})
}
