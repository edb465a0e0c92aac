package main

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/command"
)

func TestACommandLineThatMakesNoSenseIsExplained(t *testing.T) {
	for says, args := range map[string][]string{
		`no pitfall "missing-close"; did you mean missing-closesend?`: {"missing-close"},
		`unexpected argument "two"`:                                   {"missing-closesend", "two"},
		`-patience 0s: must be more than 0`:                           {"-patience", "0s", "missing-closesend"},
	} {
		require.NoError(t, flag.CommandLine.Parse(args))
		err := run(t.Context())
		require.NoError(t, flag.CommandLine.Parse([]string{"-patience", "3s"}))

		var usage *command.UsageError
		require.ErrorAs(t, err, &usage)
		require.EqualError(t, err, says)
	}
}
