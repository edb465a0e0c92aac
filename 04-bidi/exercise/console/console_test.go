package console

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
)

func TestEnd_HasTheCodeOfTheError(t *testing.T) {
	for want, err := range map[string]error{
		"end with OK":       nil,
		"end with Canceled": fmt.Errorf("sleep: %w", context.Canceled),
		"end with NotFound": fmt.Errorf("show: %w", status.Error(codes.NotFound, "no such file")),
		"end with Unknown":  errors.New("exit status 1"),
	} {
		require.Equal(t, want, Text(End(err)))
	}
}

func TestSession_HalfClosesAfterTheInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, err := read(Session(t.Context(), dial(t, echo), inputs("one", "two")))
		require.NoError(t, err)
		require.Equal(t, []string{"one", "two"}, lines)
	})
}

func TestSession_EndsWithTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, func(stream) error { return status.Error(codes.ResourceExhausted, "too many") })
		for _, in := range []<-chan *consolev1.Input{nil, inputs("one", "two")} {
			_, err := read(Session(t.Context(), client, in))
			require.Equal(t, codes.ResourceExhausted.String(), status.Code(err).String())
		}
	})
}

func TestSession_BreakCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := make(chan error, 1)
		client := dial(t, func(stream stream) error {
			err := stream.Send(Line("one"))
			<-stream.Context().Done()
			canceled <- stream.Context().Err()
			return err
		})
		for _, err := range Session(t.Context(), client, nil) {
			require.NoError(t, err)
			break
		}
		require.ErrorIs(t, <-canceled, context.Canceled)
	})
}

func TestSession_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := read(Session(ctx, dial(t, echo), nil))
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String())
	})
}
