package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// A source is a service whose streams end with what feeds it, not with
// their clients.
type source struct {
	healthv1.UnimplementedHealthServer
	ctx   context.Context
	ended time.Time
}

func (s *source) Watch(_ *healthv1.HealthCheckRequest, stream grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	if err := stream.Send(&healthv1.HealthCheckResponse{}); err != nil {
		return err
	}
	<-s.ctx.Done()
	time.Sleep(time.Hour)
	s.ended = time.Now()
	return nil
}

func (s *source) embed(ctx context.Context, r grpc.ServiceRegistrar) {
	s.ctx = ctx
	healthv1.RegisterHealthServer(r, s)
}

var errEnough = errors.New("enough")

// first opens a stream and leaves it after its first message.
func first(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := healthv1.NewHealthClient(conn).Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return errEnough
}

func TestTheEmbeddedServerEndsAndItsHandlersAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var s source
		require.EqualError(t, new(Target).runEmbedded(t.Context(), s.embed, first), errEnough.Error())
		require.Error(t, s.ctx.Err())
		require.Equal(t, start.Add(time.Hour), s.ended)
	})
}

// An interrupt reaches the client alone. If it ended the server too, the
// client might see that end first, and take it for one of the stream's own.
func TestTheEmbeddedServerLivesUntilRunReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var s source
		err := new(Target).runEmbedded(ctx, s.embed, func(ctx context.Context, conn *grpc.ClientConn) error {
			stream, err := healthv1.NewHealthClient(conn).Watch(ctx, &healthv1.HealthCheckRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
			cancel()
			_, err = stream.Recv()
			time.Sleep(time.Minute)
			require.NoError(t, s.ctx.Err())
			return err
		})
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
	})
}

func TestARunThatCallsNothingReturnsItsOwnErrorAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := new(Target).runEmbedded(t.Context(), embed, func(context.Context, *grpc.ClientConn) error { return errEnough })
		require.EqualError(t, err, "enough")
	})
}
