package pitfalls

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// Each demo runs in a bubble of another process, because some broken handlers
// never return and a bubble with such a handler cannot be left.
func TestDemos_DifferAndTheFixedCodeEnds(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(Demos)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stdout, _ := testproc.Self(t, func() int {
				synctest.Test(t, func(t *testing.T) {
					runner := demo.Runner{Target: &cli.Target{}, Limit: 3 * time.Second, Out: os.Stdout}
					require.NoError(t, runner.Run(t.Context(), name, Demos[name]))
					fmt.Println("end of demo")
				})
				return 0
			}, nil).Wait()

			out, _, ended := strings.Cut(stdout, "end of demo")
			require.True(t, ended, stdout)
			broken, fixed := linesOf(out, "broken"), linesOf(out, "fixed")
			require.NotEmpty(t, broken)
			require.NotEmpty(t, fixed)
			require.NotEqual(t, broken, fixed)
			require.NotContains(t, fixed, "still runs")
			require.NotRegexp(t, `not returned: [1-9]`, fixed)
			if name == "ignored-context" { // its page says so
				require.Contains(t, broken, "not returned: 1\n")
				require.Contains(t, fixed, "not returned: 0\n")
			}
			if name == "missing-closesend" { // its page shows what the demo prints
				golden.File(t, "missing-closesend/testdata/demo.txt", out)
			}
		})
	}
}

// linesOf returns the lines of a variant, without its name.
func linesOf(out, variant string) (lines string) {
	for _, m := range regexp.MustCompile(`(?m)^`+variant+` +(.*)$`).FindAllStringSubmatch(out, -1) {
		lines += m[1] + "\n"
	}
	return lines
}
