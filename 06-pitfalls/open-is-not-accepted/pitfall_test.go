package openisnotaccepted

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestBroken_StaysWithTheServerThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := pitfalltest.Dial(t, &service.Server{OnCount: refuse})
		ready := pitfalltest.Dial(t, &service.Server{})

		got, err := BrokenCount(t.Context(), &pitfallsv1.CountRequest{To: 3}, refusing, ready)

		require.EqualError(t, err, "rpc error: code = Unauthenticated desc = token: expired")
		require.Empty(t, got)
	})
}

func TestFixed_GoesOnToTheServerThatAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := pitfalltest.Dial(t, &service.Server{OnCount: refuse})
		ready := pitfalltest.Dial(t, &service.Server{})

		got, err := FixedCount(t.Context(), &pitfallsv1.CountRequest{To: 3}, refusing, ready)

		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

// A test of a failover usually stops a server, and finds nothing.
func TestBoth_GoOnIfTheServerIsDown(t *testing.T) {
	for _, count := range []func(
		context.Context, *pitfallsv1.CountRequest, ...pitfallsv1.PitfallServiceClient,
	) ([]int64, error){BrokenCount, FixedCount} {
		synctest.Test(t, func(t *testing.T) {
			down := pitfalltest.Dial(t, &service.Server{}, grpc.WithContextDialer(
				func(context.Context, string) (net.Conn, error) { return nil, errors.New("refused") }))
			ready := pitfalltest.Dial(t, &service.Server{})

			got, err := count(t.Context(), &pitfallsv1.CountRequest{To: 3}, down, ready)

			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, got)
		})
	}
}

func TestRecv_ReturnsTheRefusal(t *testing.T) {
	unknown := func(grpc.ServiceRegistrar) {}
	refusing := &service.Server{OnCount: refuse}
	for want, register := range map[string]func(grpc.ServiceRegistrar){
		"code = Unimplemented desc = unknown service pitfalls.v1.PitfallService": unknown,
		"code = Unauthenticated desc = token: expired":                           refusing.Register,
	} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfallsv1.NewPitfallServiceClient(memservertest.Dial(t, register))
			stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			header, err := stream.Header()
			require.NoError(t, err)
			require.Nil(t, header, "a refused call has no header")

			_, err = stream.Recv()

			require.EqualError(t, err, "rpc error: "+want)
		})
	}
}

// No packet reaches the server, so that it sees no frame.
func TestOpen_DoesNotWaitForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, network := pitfalltest.DialFaulty(t, &service.Server{})
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err)
		network.Conn().HalfOpen()

		start := time.Now()
		_, err = client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
	})
}

func TestOpen_FailsForWhatTheClientKnows(t *testing.T) {
	for _, tt := range []struct {
		name string
		ctx  func(context.Context) context.Context
		opts []grpc.CallOption
		want string
	}{
		{"a context that has ended", pitfalltest.Canceled, nil,
			"code = Canceled desc = context canceled"},
		{"metadata with an illegal character", func(ctx context.Context) context.Context {
			return metadata.AppendToOutgoingContext(ctx, "name", "\n")
		}, nil, `code = Internal desc = header key "name" contains value with non-printable ASCII characters`},
		{"a compressor that is not installed", keep, []grpc.CallOption{grpc.UseCompressor("zip")},
			"code = Internal desc = grpc: Compressor is not installed for requested grpc-encoding \"zip\""},
		{"no token", keep, []grpc.CallOption{grpc.PerRPCCredentials(noToken{})},
			"code = Unauthenticated desc = token: expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, &service.Server{})
				_, err := client.Count(tt.ctx(t.Context()), &pitfallsv1.CountRequest{To: 3}, tt.opts...)
				require.EqualError(t, err, "rpc error: "+tt.want)
			})
		})
	}
}

func keep(ctx context.Context) context.Context { return ctx }

// noToken has no token for any call.
type noToken struct{}

func (noToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, status.Error(codes.Unauthenticated, "token: expired")
}

func (noToken) RequireTransportSecurity() bool { return false }

type numbers = grpc.ServerStreamingServer[pitfallsv1.Number]

// refuse is the handler of a server that accepts no call.
func refuse(*pitfallsv1.CountRequest, numbers) error {
	return status.Error(codes.Unauthenticated, "token: expired")
}
