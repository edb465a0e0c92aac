package bubble

import (
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// The page shows an excerpt of what each of these tests prints. The marked
// line is the one to look for.
func TestPage_ShowsWhatRedTestsPrint(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may print other stacks")
	}
	for test, marked := range map[string]string{
		"TestRed_TooEarly":     `^\s+actual`,
		"TestRed_Socket":       `^goroutine N \[IO wait`,
		"TestRed_Leak":         `^\tred_test.go`,
		"TestRed_StuckHandler": `^\tred_test.go`,
		"TestRed_Year2262":     `took`,
		"TestRed_Limit":        `^\tserver.go`,
		"TestRed_Mutex":        `^goroutine N \[sync.Mutex.Lock`,
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			got := excerpt(printed(t, test), regexp.MustCompile(marked))
			require.Contains(t, got, mark, "no line matches %s", marked)
			golden.File(t, filepath.Join("testdata", test+".txt"), got)
		})
	}
}

// printed returns what a test prints when it fails. TestRed_TooEarly may pass,
// about once in fifty runs. TestRed_Year2262 prints one of two errors, and the
// page shows the more frequent one.
func printed(t *testing.T, test string) (out string) {
	for range 50 {
		var err error
		out, err = run(t, test, "2s", "RED=fast")
		if err != nil && (test != "TestRed_Year2262" || strings.Contains(out, "max_age")) {
			break
		}
	}
	return out
}

const mark = "   <-- look here"

var (
	numbers    = regexp.MustCompile(`(?m)(^goroutine| in goroutine) \d+`)
	offsets    = regexp.MustCompile(`(?m) \+0x[0-9a-f]+$`)
	arguments  = regexp.MustCompile(`(?m)\([^()]*0x[^()]*\)$`)
	duration   = regexp.MustCompile(`(?m) \(\d[0-9.]*s\)$`)
	bubbleID   = regexp.MustCompile(`synctest bubble \d+`)
	ownPath    = regexp.MustCompile(`(?m)[^\s]*[/\\]docs[/\\]bubble[/\\](\w+\.go)`)
	ownPackage = "example.com/streams/docs/bubble."
)

// excerpt removes from the output of a test what differs from run to run,
// the goroutines of gRPC that wait as they should, and most calls inside
// gRPC. It marks the first line that matches.
func excerpt(out string, marked *regexp.Regexp) string {
	out = strings.ReplaceAll(out, "\r\n", "\n")
	out = regexp.MustCompile(`(?m)^ {8}`).ReplaceAllString(out, "")
	out = offsets.ReplaceAllString(out, "")
	out = numbers.ReplaceAllString(out, "$1 N")
	out = arguments.ReplaceAllString(out, "(...)")
	out = duration.ReplaceAllString(out, "")
	out = bubbleID.ReplaceAllString(out, "synctest bubble 1")
	out = ownPath.ReplaceAllString(out, "$1")

	var head, stacks []string
	for block := range strings.SplitSeq(out, "\n\n") {
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		switch {
		case !strings.HasPrefix(lines[0], "goroutine"):
			head = append(head, ownLines(lines)...)
		case isGuilty(block):
			stacks = append(stacks, strings.Join(shorten(lines), "\n"))
		}
	}
	slices.Sort(stacks)
	blocks := append([]string{strings.Join(head, "\n")}, slices.Compact(stacks)...)
	lines := strings.Split(strings.Join(blocks, "\n\n"), "\n")
	if i := slices.IndexFunc(lines, marked.MatchString); i >= 0 {
		lines[i] += mark
	}
	return strings.Join(lines, "\n") + "\n"
}

// ownLines leaves out how go test ends.
func ownLines(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool {
		return line == "FAIL" || line == "exit status 2" || line == ""
	})
}

// isGuilty reports whether a goroutine of the bubble runs code of this
// package, or waits without being durably blocked.
func isGuilty(stack string) bool {
	header, calls, _ := strings.Cut(stack, "\n")
	calls, _, _ = strings.Cut(calls, "\ncreated by ")
	return strings.Contains(header, "synctest bubble") && !strings.Contains(calls, "testing/synctest.") &&
		(strings.Contains(calls, ownPackage) || !strings.Contains(header, "(durable)"))
}

// shorten keeps the state of a goroutine, the calls of this package, and
// where they are.
func shorten(lines []string) (short []string) {
	short = lines[:1:1]
	for i := 1; i < len(lines); i++ {
		if own := strings.Contains(lines[i], ownPackage); own && i+1 < len(lines) {
			short = append(short, lines[i], lines[i+1])
			i++
		} else if short[len(short)-1] != "..." {
			short = append(short, "...")
		}
	}
	return short
}
