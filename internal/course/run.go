package course

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"

	"example.com/streams/internal/gotest"
)

// A State says how far an exercise is.
type State int

// The states of an exercise.
const (
	Waits   State = iota // its file is the stub
	Failing              // the test cannot run, or a check fails
	Done
)

// A Result is what the test of an exercise found.
type Result struct {
	State State
	Text  string // what the learner needs of the test's output
}

// Grade runs the tests of exercises, and returns their results in the same
// order.
func (c *Course) Grade(ctx context.Context, lessons ...*Lesson) ([]Result, error) {
	var args []string
	byPackage := map[string]*Result{}
	results := make([]Result, len(lessons))
	for i, l := range lessons {
		args = append(args, "./"+l.Exercise())
		byPackage[l.Exercise()] = &results[i]
	}
	var failed bytes.Buffer
	ended := 0
	err := gotest.Run(ctx, c.Root, args, &failed, func(e gotest.Event) {
		for name, r := range byPackage {
			if strings.HasSuffix(e.Package, "/"+name) && r.add(e) {
				ended++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if ended < len(lessons) {
		return nil, fmt.Errorf("go test: %s", strings.TrimSpace(failed.String()))
	}
	for i := range results {
		results[i].Text = trim(results[i].Text)
	}
	return results, nil
}

// add notes an event, and reports whether it is the last one of its package.
func (r *Result) add(e gotest.Event) bool {
	switch {
	case e.Action == "output", e.Action == "build-output":
		r.Text += e.Output
	case e.Action == "skip" && e.Test != "":
		r.State = Waits
	case e.Action == "pass" && e.Test != "":
		r.State = Done
	case e.Action == "fail" && e.Test == "":
		r.State = Failing
	}
	return e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip")
}

// ofGoTest is a line that go test adds to what a test prints.
var ofGoTest = regexp.MustCompile(`^(?:=== |--- |# |FAIL$|FAIL\t|ok  \t)`)

// trim returns the text of a test without the lines and the indent that
// go test adds.
func trim(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimRight(line, "\n"), "        ")
		if _, after, ok := strings.Cut(line, "exercise_test.go:"); ok {
			_, line, _ = strings.Cut(after, ": ")
		}
		if !ofGoTest.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
