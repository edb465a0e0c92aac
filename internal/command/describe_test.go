package command

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var notFound = status.Error(codes.NotFound, `no report "q3"`)

func TestAnErrorIsDescribedAsItsCodeAndItsMessage(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{notFound, `NotFound: no report "q3"`},
		{fmt.Errorf("report q3: %w", notFound), `report q3: NotFound: no report "q3"`},
		{errors.Join(errors.New("one"), notFound, notFound), `one; NotFound: no report "q3"; NotFound: no report "q3"`},
		{status.Error(codes.Unavailable, ""), "Unavailable: "},
		{status.Error(99, "unheard of"), "Code(99): unheard of"},
		{status.Errorf(codes.Unavailable, "upstream: %v", notFound), `Unavailable: upstream: NotFound: no report "q3"`},
	} {
		require.Equal(t, tt.want, Describe(tt.err))
	}
}

func TestWhatSteersATerminalIsEscaped(t *testing.T) {
	for message, want := range map[string]string{
		"red \x1b[31m, bell \a":         `red \x1b[31m, bell \a`,
		"over\rwritten\b":               `over\rwritten\b`,
		"C1 \u009b31m":                  `C1 \u009b31m`,
		"right to left \u202e":          `right to left \u202e`,
		"two\nlines\tof 'a' \\ b":       `two; lines\tof 'a' \ b`,
		"não é UTF-8: \xff":             "não é UTF-8: \ufffd",
		"日本語 and a no-break\u00a0space": `日本語 and a no-break\u00a0space`,
	} {
		err := fmt.Errorf("logs: %w", status.Error(codes.Internal, message))
		require.Equal(t, "logs: Internal: "+want, Describe(err))
	}
}

func TestACancelIsKnownOnEitherSideOfTheConnection(t *testing.T) {
	for _, err := range []error{
		context.Canceled,
		fmt.Errorf("read: %w", context.Canceled),
		status.Error(codes.Canceled, "context canceled"),
		errors.Join(fmt.Errorf("logs: %w", status.Error(codes.Canceled, ""))),
	} {
		require.True(t, IsCanceled(err), "%v", err)
	}
	for _, err := range []error{nil, context.DeadlineExceeded, notFound, errors.New("canceled")} {
		require.False(t, IsCanceled(err), "%v", err)
	}
}
