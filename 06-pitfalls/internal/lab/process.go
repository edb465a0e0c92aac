package lab

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childVar names the test that runs as a process of its own.
const childVar = "PITFALLS_CHILD"

// Process runs f in a process of its own, which may die of it, and returns
// what that process printed. The process is this test again, up to the call
// of Process; so call it once, outside a bubble. A bubble may be in f. Races
// are not reported: see [RaceReport].
func Process(t *testing.T, f func()) string {
	t.Helper()
	return process(t, "report_bugs=0", f)
}

func process(t *testing.T, race string, f func()) string {
	t.Helper()
	if os.Getenv(childVar) == t.Name() {
		f()
		t.SkipNow()
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	this := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), exe, "-test.run="+this, "-test.count=1", "-test.timeout=30s")
	cmd.Env = append(os.Environ(), childVar+"="+t.Name(), "GORACE=atexit_sleep_ms=0 "+race)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if _, died := errors.AsType[*exec.ExitError](err); err != nil && !died {
		t.Fatal(err)
	}
	return out.String()
}

// RaceReport runs f in a process of its own and returns what that process
// printed. The process ends with its first race: "WARNING: DATA RACE" and
// two stacks. In a test that is built without -race it skips the test and
// says how to see it.
func RaceReport(t *testing.T, f func()) string {
	t.Helper()
	if !raceEnabled {
		t.Skipf("the race detector is the witness: go test -race -run %s", t.Name())
	}
	return process(t, "halt_on_error=1", f)
}
