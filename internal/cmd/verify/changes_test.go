package main

import (
	"testing"

	"github.com/stretchr/testify/require"
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
