package course

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// A Style colors text for a terminal. The zero value does not.
type Style struct {
	Clear        string // what clears the screen
	bold, ok, no string
}

// StyleOf returns the style for a file: with colors if it is a terminal, and
// the environment does not say otherwise.
func StyleOf(f *os.File) Style {
	info, err := f.Stat()
	isTerminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if !isTerminal || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return Style{}
	}
	return Style{Clear: "\x1b[2J\x1b[H", bold: "\x1b[1m", ok: "\x1b[32m", no: "\x1b[31m"}
}

func (s Style) wrap(start, text string) string {
	if start == "" {
		return text
	}
	return start + text + "\x1b[0m"
}

// Bold styles titles, files, and what a learner types.
func (s Style) Bold(text string) string { return s.wrap(s.bold, text) }

// Green styles what is done.
func (s Style) Green(text string) string { return s.wrap(s.ok, text) }

// Red styles what fails.
func (s Style) Red(text string) string { return s.wrap(s.no, text) }

// Status returns the lessons and exercises in their order, how far they are,
// the minutes that are left, and the command to type next.
func (c *Course) Status(ctx context.Context, style Style) (string, error) {
	exercises := c.exercises()
	results, err := c.Grade(ctx, exercises...)
	if err != nil {
		return "", err
	}
	byLesson := map[*Lesson]Result{}
	for i, l := range exercises {
		byLesson[l] = results[i]
	}
	w := new(strings.Builder)
	fmt.Fprintf(w, "%s\n\nThe minutes are to read and play, for the tests and tasks, and for the exercise.\n\n",
		style.Bold("gRPC streaming in Go"))
	left, next := 0, (*Lesson)(nil)
	for _, l := range c.Lessons {
		r := byLesson[l]
		done := l.ExerciseMinutes > 0 && r.State == Done
		if !done {
			left += l.Minutes + l.TaskMinutes + l.ExerciseMinutes
			if next == nil && l.ExerciseMinutes > 0 {
				next = l
			}
		}
		takes := "" // as long as you like
		if l.Minutes > 0 {
			takes = fmt.Sprintf("%d + %d + %d", l.Minutes, l.TaskMinutes, l.ExerciseMinutes)
		}
		fmt.Fprintf(w, "  %s  %-54s %12s  %s\n", l.Number(), short(l.Title, 54), takes, state(l, r, l == next, style))
	}
	fmt.Fprintf(w, "\nMinutes left: %d.\n", left)
	switch {
	case next == nil:
		fmt.Fprintf(w, "\nAll exercises are done. Next: read 07-production/README.md.\n")
	case byLesson[next].State == Waits:
		fmt.Fprintf(w, "\nNext: read %s/README.md, then %s/README.md, and type\n\n    %s\n",
			next.Folder, next.Exercise(), style.Bold("go run . watch "+next.Number()))
	default:
		fmt.Fprintf(w, "\nNext:\n\n    %s\n", style.Bold("go run . watch "+next.Number()))
	}
	return w.String(), nil
}

// Room returns a line for each folder, which must be a clone of the course,
// and in it the state of each exercise. A folder that cannot be graded has the
// reason in its line.
func Room(ctx context.Context, folders []string, style Style) (string, error) {
	w := new(strings.Builder)
	for _, folder := range folders {
		fmt.Fprintf(w, "%-30s", short(folder, 30))
		c, err := Load(folder)
		var results []Result
		if err == nil {
			results, err = c.Grade(ctx, c.exercises()...)
		}
		if ctx.Err() != nil {
			return w.String(), ctx.Err()
		}
		if err != nil {
			reason, _, _ := strings.Cut(err.Error(), "\n")
			fmt.Fprintf(w, " %s\n", style.Red(reason))
			continue
		}
		for i, l := range c.exercises() {
			fmt.Fprintf(w, "  %s %s", l.Number(), state(l, results[i], false, style))
		}
		fmt.Fprintln(w)
	}
	return w.String(), nil
}

func state(l *Lesson, r Result, next bool, style Style) string {
	switch {
	case l.ExerciseMinutes == 0:
		return "read"
	case r.State == Done:
		return style.Green("done")
	case r.State == Failing:
		return style.Red("failing")
	case next:
		return style.Bold("next")
	}
	return "waits"
}

// short cuts a text to at most n characters.
func short(text string, n int) string {
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	return string(r[:n-3]) + "..."
}
