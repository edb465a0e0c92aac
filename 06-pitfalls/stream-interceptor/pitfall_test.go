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
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := stream(t.Context(), dial(t, BrokenServerOptions()))
				require.NoError(t, err)
				require.Equal(t, []int64{1}, got)
			})
		})
	}
}

func TestFixed_RefusesStreamsWithoutAToken(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := stream(t.Context(), dial(t, FixedServerOptions()))
				require.Equal(t, codes.Unauthenticated, status.Code(err), "got %v", err)
				require.Equal(t, "authorization: must be a valid bearer token", status.Convert(err).Message())
				require.Empty(t, got)
			})
		})
	}
}

func TestBoth_CheckUnaryCalls(t *testing.T) {
	for name, opts := range map[string][]grpc.ServerOption{
		"broken": BrokenServerOptions(), "fixed": FixedServerOptions(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, opts)
				_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
				require.Equal(t, codes.Unauthenticated, status.Code(err), "without a token: got %v", err)

				ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
				_, err = client.Ping(ctx, &pitfallsv1.PingRequest{})
				require.NoError(t, err)
				got, err := streams["server stream"](ctx, client)
				require.NoError(t, err)
				require.Equal(t, []int64{1}, got)
			})
		})
	}
}

// streams holds a call of each streaming RPC type. Each call returns the one
// number that it received.
var streams = map[string]func(context.Context, pitfallsv1.PitfallServiceClient) ([]int64, error){
	"server stream": func(ctx context.Context, c pitfallsv1.PitfallServiceClient) ([]int64, error) {
		stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 1})
		if err != nil {
			return nil, err
		}
		return service.Values(stream)
	},
	"client stream": func(ctx context.Context, c pitfallsv1.PitfallServiceClient) ([]int64, error) {
		stream, err := c.Sum(ctx)
		if err != nil {
			return nil, err
		}
		_ = stream.Send(&pitfallsv1.Number{Value: 1}) // CloseAndRecv returns the status
		response, err := stream.CloseAndRecv()
		if err != nil {
			return nil, err
		}
		return []int64{response.GetSum()}, nil
	},
	"bidi stream": func(ctx context.Context, c pitfallsv1.PitfallServiceClient) ([]int64, error) {
		stream, err := c.Echo(ctx)
		if err != nil {
			return nil, err
		}
		_ = stream.Send(&pitfallsv1.Number{Value: 1}) // Recv returns the status
		if err := stream.CloseSend(); err != nil {
			return nil, err
		}
		return service.Values(stream)
	},
}

func dial(t *testing.T, opts []grpc.ServerOption) pitfallsv1.PitfallServiceClient {
	conn := pitfalltest.Serve(t, &service.Server{}, opts...).Dial(t)
	return pitfallsv1.NewPitfallServiceClient(conn)
}
