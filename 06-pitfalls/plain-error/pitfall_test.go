package plainerror

import (
	"context"
	"fmt"
	"os"
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

const refusal = "value: must be at least 0, got -2"

func TestBroken_RefusesWithTheCodeUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: BrokenSum}), 1, -2)
		require.Equal(t, codes.Unknown, status.Code(err))
		require.Equal(t, refusal, status.Convert(err).Message())
	})
}

func TestFixed_RefusesWithTheCodeInvalidArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: FixedSum}), 1, -2)
		require.Equal(t, codes.InvalidArgument, status.Code(err))
		require.Equal(t, refusal, status.Convert(err).Message())
	})
}

func TestHandler_ErrorBecomesAStatus(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		code    codes.Code
		message string
	}{
		{"a plain error", os.ErrNotExist, codes.Unknown, "file does not exist"},
		{"a status", status.Error(codes.NotFound, "no log"), codes.NotFound, "no log"},
		{"a wrapped status", fmt.Errorf("open: %w", status.Error(codes.NotFound, "no log")),
			codes.NotFound, "open: rpc error: code = NotFound desc = no log"},
		{"a canceled context", context.Canceled, codes.Canceled, "context canceled"},
		{"a deadline", context.DeadlineExceeded, codes.DeadlineExceeded, "context deadline exceeded"},
		{"a wrapped deadline", fmt.Errorf("disk: %w", context.DeadlineExceeded),
			codes.DeadlineExceeded, "disk: context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := sum(t.Context(), pitfalltest.Dial(t, &service.Server{
					OnSum: func(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
						return tt.err
					},
				}))
				require.Equal(t, tt.code, status.Code(err))
				require.Equal(t, tt.message, status.Convert(err).Message())
			})
		})
	}
}

func sum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}
