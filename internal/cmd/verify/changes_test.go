package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/docscheck"
)

func TestResult_OfATest(t *testing.T) {
	for want, r := range map[string]result{
		"pass": {tests: map[string]string{"TestX": "pass"}},
		"fail": {panicked: "panic: deadlock: all goroutines in bubble are blocked"},
		"skip": {tests: map[string]string{"TestX": "skip"}},
		"code that does not compile:\nx.go:1: undefined: y\n": {unbuilt: "x.go:1: undefined: y\n"},
		"no result": {},
	} {
		require.Equal(t, want, r.of("TestX"))
	}
}

func TestCompare_ReportsWhatThePageDoesNotSay(t *testing.T) {
	ran := func(action string) *result {
		return &result{tests: map[string]string{"TestX": action}, output: "    got 1\n    want 2\n"}
	}
	breaks := &docscheck.Change{Test: "TestX", Printed: []string{"got 1", "want 2"}}
	passes := &docscheck.Change{Test: "TestX", Passes: true}
	require.Empty(t, compare(breaks, ran("pass"), ran("fail")))
	require.Empty(t, compare(passes, ran("fail"), ran("pass")))
	require.Empty(t, compare(passes, &result{unbuilt: "undefined: y"}, ran("pass")))

	require.Len(t, compare(breaks, ran("skip"), ran("pass")), 2)
	require.Len(t, compare(breaks, &result{unbuilt: "undefined: y"}, ran("fail")), 1)
	require.Len(t, compare(passes, ran("pass"), ran("pass")), 1)
	other := &docscheck.Change{Test: "TestX", Printed: []string{"want 2", "got 1"}}
	require.Len(t, compare(other, ran("pass"), ran("fail")), 1, "the lines are in another order")
}
