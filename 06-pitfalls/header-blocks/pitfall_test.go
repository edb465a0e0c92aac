package headerblocks

import (
	"context"
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
)

func TestBroken_EchoStillWaitsForTheHeaderAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, setHeader)
		call := pitfalltest.Go(func() error {
			_, _, err := BrokenEcho(t.Context(), client, 1)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client), "the handler waits too")
	})
}

func TestFixed_EchoReturnsTheNodeAndTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, setHeader)

		name, got, err := FixedEcho(pitfalltest.WithTimeout(t, time.Minute), client, 1)

		require.NoError(t, err)
		require.Equal(t, "a", name)
		require.Equal(t, []int64{1}, got)
	})
}

func TestBroken_NodeTakesARefusalForAnEmptyName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name, err := BrokenNode(t.Context(), dial(t, refuse), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		require.Empty(t, name)
	})
}

func TestFixed_NodeReturnsTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name, err := FixedNode(t.Context(), dial(t, refuse), &pitfallsv1.CountRequest{To: 3})
		require.EqualError(t, err, "rpc error: code = PermissionDenied desc = token: expired")
		require.Empty(t, name)
	})
}

func TestBoth_FindTheHeaderOfAnAcceptedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, setHeader)
		broken, err := BrokenNode(t.Context(), client, &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		fixed, err := FixedNode(t.Context(), client, &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		require.Equal(t, []string{"a", "a"}, []string{broken, fixed})
	})
}

func TestHeader_DoesNotWaitAfterSendHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name, got, err := BrokenEcho(t.Context(), dial(t, sendHeader), 1)
		require.NoError(t, err)
		require.Equal(t, "a", name)
		require.Equal(t, []int64{1}, got)
	})
}

func TestHeader_ReturnsNilAndNoErrorAfterACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := dial(t, setHeader).Echo(ctx)
		require.NoError(t, err)
		time.AfterFunc(time.Minute, cancel)

		start := time.Now()
		header, err := stream.Header()

		require.NoError(t, err)
		require.Nil(t, header)
		require.Equal(t, time.Minute, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Canceled, status.Code(err))
	})
}

// The metadata of SetHeader is sent in a HEADERS frame before the trailers.
func TestHeader_ComesBeforeARefusalAfterSetHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := dial(t, setHeader).Count(t.Context(), &pitfallsv1.CountRequest{To: -1})
		require.NoError(t, err)
		header, err := stream.Header()
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, header.Get("node"))
		_, err = stream.Recv()
		require.Equal(t, codes.InvalidArgument, status.Code(err))
	})
}

var header = metadata.Pairs("node", "a")

func setHeader(stream grpc.ServerStream) error { return stream.SetHeader(header) }

func sendHeader(stream grpc.ServerStream) error { return stream.SendHeader(header) }

func refuse(grpc.ServerStream) error { return status.Error(codes.PermissionDenied, "token: expired") }

// dial returns a client of a server that calls begin before each handler. An
// error of begin refuses the call.
func dial(t *testing.T, begin func(grpc.ServerStream) error) pitfallsv1.PitfallServiceClient {
	server := pitfalltest.Serve(t, &service.Server{}, grpc.StreamInterceptor(
		func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if err := begin(stream); err != nil {
				return err
			}
			return handler(srv, stream)
		}))
	return pitfallsv1.NewPitfallServiceClient(server.Dial(t))
}
