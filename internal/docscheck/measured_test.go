package docscheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/docscheck"
)

// results has two rounds in which the machine was slow, and one in which it
// was fast.
const results = `goos: linux
contender  ns/op
BenchmarkLog/loop-2	5	4000 ns/op	1.00 ratio
BenchmarkLog/loop-2	5	8000 ns/op	1.00 ratio
BenchmarkLog/loop-2	5	9000 ns/op	1.00 ratio
BenchmarkLog/log-2	5	1000 ns/op	4.00 ratio
BenchmarkLog/log-2	5	1600 ns/op	5.00 ratio
BenchmarkLog/log-2	5	2000 ns/op	4.50 ratio
BenchmarkLog-entry/log-2	5	7 ns/op
`

const measured = "01-demo/testdata/results.txt"

func measuredPage(number, title string) map[string]string {
	return map[string]string{
		measured: results,
		demoPage: "It is [" + number + "](testdata/results.txt \"" + title + "\") times as fast.\n",
	}
}

func TestMeasured_IsTheMedianAsTheTextRoundsIt(t *testing.T) {
	for _, tt := range []struct{ number, title string }{
		{"1600", "Log/log ns/op"},
		{"1.6", "Log/log ns/op / 1000"},
		{"2", "Log/log ns/op / 1000"},
		{"4.5", "Log/log ratio"},
		{"4.50", "Log/log ratio"},
		{"4.5", "Log/loop ns/op / Log/log ns/op"}, // 4, 5 and 4.5
		{"7", "Log-entry/log ns/op"},
	} {
		require.Empty(t, check(t, write(t, measuredPage(tt.number, tt.title)), docscheck.Options{}), "%s is %s", tt.title, tt.number)
	}
}

func TestMeasured_AChangedNumberFailsUntilUpdate(t *testing.T) {
	root := write(t, measuredPage("4.9", "Log/log ratio"))
	require.Equal(t, `01-demo/README.md:1: "Log/log ratio" is 4.5, not 4.9; run UPDATE=1 go test ./docs`,
		check(t, root, docscheck.Options{}))
	require.Empty(t, check(t, root, docscheck.Options{Update: true}))
	require.Equal(t, measuredPage("4.5", "Log/log ratio")[demoPage], read(t, root, demoPage))
}

func TestMeasured_ReportsWhatItCannotRead(t *testing.T) {
	for _, tt := range []struct{ number, title, problem string }{
		{"four", "Log/log ratio", `the text of the link must be a number, got "four"`},
		{"4.5", "Log/gone ratio", `no line there begins with BenchmarkLog/gone and has a value in ratio`},
		{"4.5", "Log/log MB/s", `no line there begins with BenchmarkLog/log and has a value in MB/s`},
		{"4.5", "Log", `no line there begins with BenchmarkLog and has a value in a unit`},
		{"4.5", "Log/log ns/op / 0", `no line there begins with Benchmark0 and has a value in a unit`},
		{"4.5", "Log/log ns/op / Log/log MB/s", `no line there begins with BenchmarkLog/log and has a value in MB/s`},
	} {
		root := write(t, measuredPage(tt.number, tt.title))
		got := check(t, root, docscheck.Options{Update: true})
		require.Equal(t, `01-demo/README.md:1: "`+tt.title+`": `+tt.problem, got)
	}
	root := write(t, measuredPage("4.5", "Log-entry/log ns/op / Log/log ns/op"))
	require.Contains(t, check(t, root, docscheck.Options{}), "both benchmarks must have as many lines")
}
