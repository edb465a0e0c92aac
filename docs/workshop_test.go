package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// A part of a workshop is a break with its minutes, or a page whose
// **Minutes:** line says how long it takes.
type part struct {
	what    string
	minutes int
	page    string
}

func reading(number, folder string) part {
	return part{what: "Lesson " + number, page: folder + "/README.md"}
}

func exercise(number, folder string) part {
	return part{what: "Exercise " + number, page: folder + "/exercise/README.md"}
}

var (
	pause = part{what: "Break", minutes: 15}

	halfDay = []part{
		{what: "Welcome, `go run . ready`", minutes: 10},
		reading("02", "02-server-stream"), exercise("02", "02-server-stream"), pause,
		reading("03", "03-client-stream"), exercise("03", "03-client-stream"), pause,
		reading("04", "04-bidi"), exercise("04", "04-bidi"),
		{what: "Demos of 06, questions", minutes: 20},
	}

	day = []part{
		{what: "Welcome, `go run . ready`", minutes: 10},
		reading("01", "01-unary"), exercise("01", "01-unary"), pause,
		reading("02", "02-server-stream"), exercise("02", "02-server-stream"), pause,
		reading("03", "03-client-stream"), exercise("03", "03-client-stream"),
		{what: "Lunch", minutes: 60},
		reading("04", "04-bidi"), exercise("04", "04-bidi"), pause,
		reading("05", "05-cancellation"), exercise("05", "05-cancellation"), pause,
		reading("06", "06-pitfalls"), exercise("06", "06-pitfalls"),
		{what: "Questions", minutes: 15},
	}
)

var pageMinutes = regexp.MustCompile(`(?m)^\*\*Minutes:\*\* (\d+)`)

// UPDATE=1 writes the schedules with the minutes of the pages.
func TestWorkshop_MinutesAreThoseOfThePages(t *testing.T) {
	for name, parts := range map[string][]part{"half a day": halfDay, "a day": day} {
		var table strings.Builder
		fmt.Fprintf(&table, "| Begins at | Part | Minutes |\n|---|---|---|\n")
		at := time.Date(0, 1, 1, 9, 0, 0, 0, time.UTC)
		begin := at
		for _, p := range parts {
			what := p.what
			if p.page != "" {
				p.minutes = minutesOf(t, p.page)
				what = fmt.Sprintf("[%s](../%s)", p.what, p.page)
			}
			fmt.Fprintf(&table, "| %s | %s | %d |\n", at.Format("15:04"), what, p.minutes)
			at = at.Add(time.Duration(p.minutes) * time.Minute)
		}
		fmt.Fprintf(&table, "| %s | End | %v |\n", at.Format("15:04"), int(at.Sub(begin).Minutes()))
		golden.Section(t, "workshop.md", name, table.String())
	}
}

func minutesOf(t *testing.T, page string) int {
	t.Helper()
	text, err := os.ReadFile("../" + page)
	require.NoError(t, err)
	m := pageMinutes.FindSubmatch(text)
	require.NotNil(t, m, "%s has no line **Minutes:**", page)
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}
