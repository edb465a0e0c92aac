// Package grade runs the checks of an exercise, and tells a learner what is
// wrong: the call, what it returned, what it must return, and what to read
// again.
//
// The checks run in a process of their own, so a panic, a deadlock or an
// endless loop in the learner's code ends as a message too.
package grade

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// An Exercise is a file with code that a learner completes.
type Exercise struct {
	Name   string // the folder of the chapter, such as "03-client-stream"
	Checks []Check

	// Independent says that a check may pass although one before it fails.
	Independent bool
}

// A Check is one thing that the code of an exercise must do. Run gets a T in
// a bubble, and calls the code.
type Check struct {
	Says   string // what the code must do, in one sentence
	Reread string // the heading of a section of the chapter's README.md
	Hint   string // the summary of a hint in exercise/README.md
	Run    func(t *T)
}

// Environment variables that [Exercise.Run] and its child process read.
const (
	strictVar = "STRICT"        // 1: an exercise that waits fails
	alwaysVar = "GRADE_ALWAYS"  // 1: grade the code, even if the file is the stub
	seedVar   = "SEED"          // a number: draw the inputs of that run again
	fromVar   = "GRADE_FROM"    // set in the child: the first check
	childVar  = "GRADE_PROCESS" // set in the child: the name of the test
)

// Run grades the code beside the running test. The test must be in the folder
// exercise, whose file exercise.go it skips while that is the stub, or in
// exercise/solution.
func (e Exercise) Run(t *testing.T) {
	t.Helper()
	if os.Getenv(childVar) == t.Name() {
		e.runChild(t)
		return
	}
	folder := e.Name + "/exercise"
	if os.Getenv(alwaysVar) == "" && untouched() {
		waits := fmt.Sprintf("this exercise waits for you: open %s/README.md and edit %s/exercise.go", folder, folder)
		if os.Getenv(strictVar) == "1" {
			t.Fatal(waits)
		}
		t.Skip(waits)
	}
	seed := rand.Uint64N(1e6)
	if text := os.Getenv(seedVar); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: must be a number, got %q", seedVar, text)
		}
	}
	passed, first := 0, ""
	for from := 0; from < len(e.Checks); {
		ok, wrong := e.grade(t, from, seed)
		passed += ok
		if wrong == nil {
			break
		}
		if first == "" {
			first = e.describe(wrong, seed)
		}
		if !e.Independent {
			break
		}
		from += ok + 1
	}
	if first != "" {
		t.Fatalf("%d of %d checks pass. The first that does not:\n\n%s", passed, len(e.Checks), first)
	}
}

// untouched reports whether exercise.go is as it was before the first edit.
func untouched() bool {
	code, err := os.ReadFile("exercise.go")
	if err != nil {
		return false // a solution
	}
	stub, err := os.ReadFile(filepath.Join("grader", "stub.go.txt"))
	return err == nil && bytes.Equal(code, stub)
}

// A failure is what a check found.
type failure struct {
	Check           int
	Call, Got, Want string
	Hint            string // instead of that of the check, or ""
}

// Hints for what can go wrong in each check. Each exercise's README.md has
// them.
const (
	hintLeft  = "A goroutine is left"
	hintStuck = "The virtual clock stands still"
	hintPanic = "My code panics"
	hintRace  = "A data race"
)

// grade runs the checks from the given one in a process of its own. It
// returns how many passed, and the failure of the next one.
func (e Exercise) grade(t *testing.T, from int, seed uint64) (passed int, wrong *failure) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childVar+"="+t.Name(), fmt.Sprintf("%s=%d", fromVar, from),
		fmt.Sprintf("%s=%d", seedVar, seed), "GORACE=atexit_sleep_ms=0", "GOTRACEBACK=all")
	var out, trace bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trace
	err = cmd.Run()
	for line := range strings.Lines(out.String()) {
		if text, ok := strings.CutPrefix(line, marker); ok {
			var f failure
			if err := json.Unmarshal([]byte(text), &f); err != nil {
				t.Fatal(err)
			}
			if f.Call != "" {
				return passed, &f
			}
			passed++
		}
	}
	if passed == len(e.Checks)-from && err == nil {
		return passed, nil
	}
	if passed == len(e.Checks)-from {
		passed-- // the process failed after its last check, such as for a data race
	}
	return passed, crash(from+passed, trace.String()+out.String())
}

// marker begins the lines that the child prints for its parent.
const marker = "\x01grade:"

// describe returns a failure as a text that fits on a screen.
func (e Exercise) describe(f *failure, seed uint64) string {
	c := e.Checks[f.Check]
	var b strings.Builder
	fmt.Fprintf(&b, "Must be: %s\n\n", c.Says)
	for _, part := range []struct{ name, text string }{{"call", f.Call}, {"got", f.Got}, {"want", f.Want}} {
		if part.text != "" {
			fmt.Fprintf(&b, "    %-5s %s\n", part.name+":", indent(part.text))
		}
	}
	fmt.Fprintf(&b, "\nRead again: %s/README.md, %q\n", e.Name, c.Reread)
	fmt.Fprintf(&b, "Hint:       %s/exercise/README.md, %q\n", e.Name, cmp.Or(f.Hint, c.Hint))
	fmt.Fprintf(&b, "The inputs are random. To get the same ones again, set %s=%d.\n", seedVar, seed)
	return b.String()
}

// indent shortens a text to a few lines that stand below each other.
func indent(text string) string {
	const most, width = 8, 100
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > most {
		lines = append(lines[:most], "...")
	}
	for i, line := range lines {
		if r := []rune(line); len(r) > width {
			lines[i] = string(r[:width]) + "..."
		}
	}
	return strings.Join(lines, "\n          ")
}
