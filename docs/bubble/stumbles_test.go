package bubble

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

func TestPage_ListsWhatABubbleForbids(t *testing.T) {
	var table strings.Builder
	table.WriteString("| You do | The test prints | Do this instead |\n|---|---|---|\n")
	for _, row := range []struct{ test, does, prints, instead string }{
		{"TestRed_Parallel", "call `t.Parallel` in the bubble",
			"panic: testing: t.Parallel called inside synctest bubble",
			"Call it before `synctest.Test`."},
		{"TestRed_Subtest", "call `t.Run` in the bubble",
			"panic: testing: t.Run called inside synctest bubble",
			"Make one bubble in each subtest."},
		{"TestRed_Sleeper", "return while another goroutine sleeps",
			"panic: deadlock: main bubble goroutine has exited but blocked goroutines remain",
			"Wait until it has ended."},
		{"TestRed_WaitOutside", "call `synctest.Wait` outside",
			"panic: goroutine is not in a bubble",
			"Call it from a goroutine of the bubble, and from one at a time."},
		{"TestRed_ServerOutside", "start the server before the bubble, such as in `TestMain`",
			"synctest timer from outside bubble",
			"Start client and server in the bubble."},
		{"TestRed_ChannelOutlives", "use a channel of the bubble outside, such as one in a package variable",
			"fatal error: send on synctest channel from outside bubble",
			"Make it where you use it."},
		{"TestRed_FirstLookup", "let the first DNS lookup of the process happen in a bubble; a later lookup outside can fail",
			"fatal error: send on synctest channel from outside bubble",
			"Dial `passthrough:///...`, so that nobody asks DNS."},
		{"TestRed_RequireElsewhere", "let `require` fail in another goroutine, which ends only that goroutine",
			"the test still runs at 2000-01-04 00:00:00",
			"Send the result to the test's goroutine, and require it there."},
		{"TestRed_SameTime", "let two goroutines wake at the same virtual time, such as a tick and a deadline",
			"woken: ba, want ab",
			"Let one of them wake half a second later."},
	} {
		if row.test != "TestRed_FirstLookup" || runtime.GOOS != "windows" { // Windows looks names up in another way
			require.Contains(t, red(t, row.test, "10s"), row.prints)
		}
		fmt.Fprintf(&table, "| %s | `%s` | %s |\n", row.does, row.prints, row.instead)
	}
	golden.Section(t, "../testing-in-a-bubble.md", "stumbles", table.String())
}
