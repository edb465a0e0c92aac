package plainerror

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_RefusesWithTheCodeUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnSum: BrokenSum})
		_, err := pitfalltest.Sum(t, client, 1, -2)
		require.EqualError(t, err, "rpc error: code = Unknown desc = value: must be at least 0, got -2")
	})
}

func TestFixed_RefusesWithTheCodeInvalidArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnSum: FixedSum})
		_, err := pitfalltest.Sum(t, client, 1, -2)
		require.EqualError(t, err, "rpc error: code = InvalidArgument desc = value: must be at least 0, got -2")
	})
}

func TestHandler_ErrorBecomesAStatus(t *testing.T) {
	deadline := context.DeadlineExceeded
	notFound := status.Error(codes.NotFound, "no log")
	_, late := (&net.Dialer{Deadline: time.Unix(1, 0)}).Dial("tcp", "127.0.0.1:1")
	for _, tt := range []struct {
		returned error
		want     string
	}{
		{os.ErrNotExist, "code = Unknown desc = file does not exist"},
		{notFound, "code = NotFound desc = no log"},
		{fmt.Errorf("open: %w", notFound), "code = NotFound desc = open: rpc error: code = NotFound desc = no log"},
		{context.Canceled, "code = Canceled desc = context canceled"},
		{fmt.Errorf("disk: %w", context.Canceled), "code = Canceled desc = disk: context canceled"},
		{deadline, "code = DeadlineExceeded desc = context deadline exceeded"},
		{fmt.Errorf("disk: %w", deadline), "code = DeadlineExceeded desc = disk: context deadline exceeded"},
		{late, "code = DeadlineExceeded desc = dial tcp 127.0.0.1:1: i/o timeout"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfalltest.Dial(t, &service.Server{OnSum: func(
				grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
			) error {
				return tt.returned
			}})
			_, err := pitfalltest.Sum(t, client)
			require.EqualError(t, err, "rpc error: "+tt.want)
		})
	}
}
