package streaminterceptor

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_ServesStreamsWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for rpc, err := range streamErrors(t.Context(), t, dial(t, BrokenServerOptions())) {
			require.NoError(t, err, rpc)
		}
	})
}

func TestFixed_RefusesStreamsWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for rpc, err := range streamErrors(t.Context(), t, dial(t, FixedServerOptions())) {
			require.Equal(t, codes.Unauthenticated, status.Code(err), "%s: got %v", rpc, err)
			require.Equal(t, "authorization: must be a valid bearer token", status.Convert(err).Message())
		}
	})
}

func TestBoth_CheckUnaryCalls(t *testing.T) {
	for _, opts := range [][]grpc.ServerOption{BrokenServerOptions(), FixedServerOptions()} {
		synctest.Test(t, func(t *testing.T) {
			client := dial(t, opts)
			_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
			require.Equal(t, codes.Unauthenticated, status.Code(err), "without a token: got %v", err)

			ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
			_, err = client.Ping(ctx, &pitfallsv1.PingRequest{})
			require.NoError(t, err)
			for rpc, err := range streamErrors(ctx, t, client) {
				require.NoError(t, err, rpc)
			}
		})
	}
}

func TestStreamInterceptor_DoesNotRunForAUnaryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, []grpc.ServerOption{grpc.ChainStreamInterceptor(checkStream)})
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err, "without a token")
	})
}

// streamErrors makes a call of each streaming RPC type. It returns the errors
// of the calls by the name of the RPC; nil means OK.
func streamErrors(
	ctx context.Context, t *testing.T, c pitfallsv1.PitfallServiceClient,
) map[string]error {
	count, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 1})
	require.NoError(t, err)
	_, countErr := service.Values(count)

	sum, err := c.Sum(ctx)
	require.NoError(t, err)
	_, sumErr := sum.CloseAndRecv()

	echo, err := c.Echo(ctx)
	require.NoError(t, err)
	require.NoError(t, echo.CloseSend())
	_, echoErr := service.Values(echo)

	return map[string]error{"Count": countErr, "Sum": sumErr, "Echo": echoErr}
}

func dial(t *testing.T, opts []grpc.ServerOption) pitfallsv1.PitfallServiceClient {
	conn := pitfalltest.Serve(t, &service.Server{}, opts...).Dial(t)
	return pitfallsv1.NewPitfallServiceClient(conn)
}
