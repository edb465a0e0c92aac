package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSwapExchangesNamesButNoTextAndNoComment(t *testing.T) {
	src := `package p // BrokenEcho

// BrokenEcho calls brokenHelper.
func BrokenEcho() string { return brokenHelper(unbroken) + "BrokenEcho" }

func (s *FixedServer) Echo() { fixed.Echo(s.Broken) }
`
	want := `package p // BrokenEcho

// BrokenEcho calls brokenHelper.
func FixedEcho() string { return fixedHelper(unbroken) + "BrokenEcho" }

func (s *BrokenServer) Echo() { broken.Echo(s.Fixed) }
`
	require.Equal(t, want, string(swap([]byte(src))))
	require.Equal(t, src, string(swap([]byte(want))))
}

func TestOnlyAnAssertionThatFailsIsGood(t *testing.T) {
	tests := []string{"TestBrokenX", "TestFixedX"}
	for _, tt := range []struct {
		name   string
		events []event
		want   []string
	}{
		{"both fail", []event{{Action: "fail", Test: "TestBrokenX"}, {Action: "fail", Test: "TestFixedX"}}, nil},
		{"one passes", []event{{Action: "pass", Test: "TestBrokenX"}, {Action: "fail", Test: "TestFixedX"}},
			[]string{"dir: TestBrokenX: pass, though broken and fixed are exchanged"}},
		{"one is skipped, one is missing", []event{{Action: "skip", Test: "TestBrokenX"}},
			[]string{"dir: TestBrokenX: skip, though broken and fixed are exchanged", "dir: TestFixedX did not run"}},
		{"a panic", []event{{Action: "output", Output: "panic: deadlock\n"}, {Action: "fail", Test: "TestBrokenX"}},
			[]string{"dir: ends without an assertion: panic: deadlock"}},
		{"no compilation", []event{{Action: "build-output", Output: "undefined: x"}},
			[]string{"dir: does not compile after the exchange:\nundefined: x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := result{tests: map[string]string{}}
			for _, e := range tt.events {
				r.add(e)
			}
			require.Equal(t, tt.want, judge("dir", tests, &r))
		})
	}
	require.Equal(t, []string{"dir: has no TestFixed… test"},
		judge("dir", tests[:1], &result{tests: map[string]string{"TestBrokenX": "fail"}}))
}
