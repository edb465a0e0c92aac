package missingresponse

import (
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
		_, err := pitfalltest.Sum(t, pitfalltest.Dial(t, &service.Server{OnSum: BrokenSum}), 1, 2, 0)
		require.EqualError(t, err, "rpc error: code = Internal desc = "+
			"cardinality violation: received no response message from non-server-streaming RPC")
	})
}

func TestFixed_ZeroEndsTheSumWithAResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := pitfalltest.Sum(t, pitfalltest.Dial(t, &service.Server{OnSum: FixedSum}), 1, 2, 0)
		require.NoError(t, err)
		require.Equal(t, int64(3), response.GetSum())
	})
}

func TestBoth_SendAResponseWithoutAZero(t *testing.T) {
	for _, handler := range []handler{BrokenSum, FixedSum} {
		synctest.Test(t, func(t *testing.T) {
			response, err := pitfalltest.Sum(t, pitfalltest.Dial(t, &service.Server{OnSum: handler}), 1, 2)
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
	for name, tt := range map[string]struct {
		then func(sumStream) error // what the handler does after SendAndClose
		want string
	}{
		"a second response": {func(s sumStream) error { return s.SendAndClose(new(pitfallsv1.SumResponse)) },
			"rpc error: code = Internal desc = cardinality violation: " +
				"expected <EOF> for non server-streaming RPCs, but received another message"},
		"an error": {func(sumStream) error { return status.Error(codes.Aborted, "too late") },
			"rpc error: code = Aborted desc = too late"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, &service.Server{OnSum: func(s sumStream) error {
					if err := s.SendAndClose(new(pitfallsv1.SumResponse)); err != nil {
						return err
					}
					return tt.then(s)
				}})
				response, err := pitfalltest.Sum(t, client)
				require.EqualError(t, err, tt.want)
				require.Nil(t, response)
			})
		})
	}
}
