package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/gotest"
)

func TestSwap_ExchangesNamesButNotTextsAndComments(t *testing.T) {
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

func TestJudge_OnlyAFailedAssertionIsRight(t *testing.T) {
	tests := []string{"TestBroken_X", "TestFixed_X"}
	for _, tt := range []struct {
		name   string
		events []gotest.Event
		want   []string
	}{
		{"both fail", []gotest.Event{{Action: "fail", Test: "TestBroken_X"}, {Action: "fail", Test: "TestFixed_X"}}, nil},
		{"one passes", []gotest.Event{{Action: "pass", Test: "TestBroken_X"}, {Action: "fail", Test: "TestFixed_X"}},
			[]string{"dir: TestBroken_X: got pass, want fail"}},
		{"one is skipped, one is missing", []gotest.Event{{Action: "skip", Test: "TestBroken_X"}},
			[]string{"dir: TestBroken_X: got skip, want fail", "dir: TestFixed_X: got no result, want fail"}},
		{"a panic", []gotest.Event{{Action: "output", Output: "panic: deadlock\n"}, {Action: "fail", Test: "TestBroken_X"}},
			[]string{"dir: ends without a failed assertion: panic: deadlock"}},
		{"no compilation", []gotest.Event{{Action: "build-output", Output: "undefined: x"}},
			[]string{"dir: does not compile when Broken and Fixed are exchanged; " +
				"each Broken name needs a Fixed name, and the reverse:\nundefined: x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := result{tests: map[string]string{}}
			for _, e := range tt.events {
				r.add(e)
			}
			require.Equal(t, tt.want, judge("dir", tests, &r))
		})
	}
	require.Equal(t, []string{"dir: has no test whose name begins with TestFixed_"},
		judge("dir", tests[:1], &result{tests: map[string]string{"TestBroken_X": "fail"}}))
}

func TestRun_UnknownModeHasStatus2(t *testing.T) {
	require.Equal(t, 2, run(nil))
	require.Equal(t, 2, run([]string{"pitfall"}))
}
