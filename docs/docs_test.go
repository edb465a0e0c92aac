// Package docs_test checks every page of the repository.
package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/course"
	"example.com/streams/internal/docscheck"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/wire/wiresvg"
)

// chapters are the pages that have the form of a lesson.
var chapters = []string{
	"01-unary/README.md",
	"02-server-stream/README.md",
	"03-client-stream/README.md",
	"04-bidi/README.md",
	"05-cancellation/README.md",
}

// topics are lessons with headings of their own.
var topics = []string{
	"06-pitfalls/README.md",
	"07-production/README.md",
	"07-production/balancing/README.md",
	"07-production/balancing/sessions/README.md",
	"07-production/browser/README.md",
	"07-production/memory/README.md",
	"07-production/observability/README.md",
	"07-production/observability/telemetry/README.md",
	"07-production/protocol/README.md",
	"07-production/proxies/README.md",
	"07-production/security/README.md",
	"07-production/shared-log/README.md",
	"07-production/throughput/README.md",
}

func TestPages_AgreeWithTheCode(t *testing.T) {
	problems, err := docscheck.Check("..", docscheck.Options{
		Update:  golden.Update(),
		Short:   testing.Short(),
		Lessons: chapters,
		Topics:  topics,
	})
	require.NoError(t, err)
	for _, problem := range problems {
		t.Error(problem)
	}
}

// The picture of the front page is drawn from what a test of chapter 02
// recorded. UPDATE=1 draws it again.
func TestFollowSVG_IsTheRecordedStream(t *testing.T) {
	recording, err := os.ReadFile("../02-server-stream/logs/testdata/follow.txt")
	require.NoError(t, err)
	svg, err := wiresvg.Draw("A stream on the wire: two messages, then the client cancels", string(recording))
	require.NoError(t, err)
	golden.File(t, "follow.svg", svg)
}

// lessonRow is a row of the front page: up to the chapter's folder, up to the
// last column, and the minutes.
var lessonRow = regexp.MustCompile(`(?m)^(\| \[.+\]\((\d\d-[a-z-]+)/README\.md\) \|.*\| )(\d+ \+ \d+ \+ \d+)( \|)$`)

// The table has the same numbers as go run . shows: to read and play, for the
// tests and tasks, and for the exercise. UPDATE=1 copies them from the pages.
func TestFrontPage_MinutesAreThoseOfTheLessons(t *testing.T) {
	c, err := course.Load("..")
	require.NoError(t, err)
	minutes := map[string]string{}
	for _, l := range c.Lessons {
		minutes[l.Folder] = fmt.Sprintf("%d + %d + %d", l.Minutes, l.TaskMinutes, l.ExerciseMinutes)
	}
	const file = "../README.md"
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	rows := 0
	got := lessonRow.ReplaceAllStringFunc(string(page), func(row string) string {
		rows++
		r := lessonRow.FindStringSubmatch(row)
		require.NotContains(t, minutes[r[2]]+" ", " 0 ", "%s has no line **Minutes:**", r[2])
		return r[1] + minutes[r[2]] + r[4]
	})
	require.Equal(t, 6, rows, "lessons with minutes on the front page")
	golden.File(t, file, got)
}

// productionRow is a row of the lessons of chapter 07: its folder, and the
// minutes to read.
var productionRow = regexp.MustCompile(`(?m)^\| \[.+\]\((.+)/README\.md\) \|.*\| (\d+) \| .* \|$`)

func TestProduction_MinutesAreThoseOfTheLessons(t *testing.T) {
	page, err := os.ReadFile("../07-production/README.md")
	require.NoError(t, err)
	rows := productionRow.FindAllStringSubmatch(string(page), -1)
	require.Len(t, rows, len(topics)-2, "all lessons of chapter 07")
	for _, row := range rows {
		lesson, err := os.ReadFile("../07-production/" + row[1] + "/README.md")
		require.NoError(t, err)
		require.Regexp(t, `(?m)^\*\*Minutes:\*\* `+row[2]+`\b`, string(lesson), row[1])
	}
}
