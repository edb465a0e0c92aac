package missingresponse

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_ZeroCausesACardinalityViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: BrokenSum}), 1, 2, 0)
		require.Equal(t, codes.Internal, status.Code(err))
		require.Equal(t, "cardinality violation: received no response message from non-server-streaming RPC",
			status.Convert(err).Message())
	})
}

func TestFixed_ZeroEndsTheSumWithAResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: FixedSum}), 1, 2, 0)
		require.NoError(t, err)
		require.Equal(t, int64(3), response.GetSum())
	})
}

func TestBoth_SendAResponseWithoutAZero(t *testing.T) {
	for _, handler := range []handler{BrokenSum, FixedSum} {
		synctest.Test(t, func(t *testing.T) {
			response, err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: handler}), 1, 2)
			require.NoError(t, err)
			require.Equal(t, int64(3), response.GetSum())
		})
	}
}

type (
	sumStream = grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]
	handler   = func(sumStream) error
)

func TestSendAndClose_ResponseIsLostIfAnythingFollows(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler handler
		code    codes.Code
		message string
	}{
		{"two responses", func(stream sumStream) error {
			if err := stream.SendAndClose(new(pitfallsv1.SumResponse)); err != nil {
				return err
			}
			return stream.SendAndClose(new(pitfallsv1.SumResponse))
		}, codes.Internal, "cardinality violation: expected <EOF> for non server-streaming RPCs, " +
			"but received another message"},
		{"a response and an error", func(stream sumStream) error {
			if err := stream.SendAndClose(new(pitfallsv1.SumResponse)); err != nil {
				return err
			}
			return status.Error(codes.Aborted, "too late")
		}, codes.Aborted, "too late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				response, err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: tt.handler}))
				require.Equal(t, tt.code, status.Code(err))
				require.Equal(t, tt.message, status.Convert(err).Message())
				require.Nil(t, response)
			})
		})
	}
}

func sum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	return stream.CloseAndRecv()
}
