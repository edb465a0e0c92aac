package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A result is what the tests of one package did.
type result struct {
	tests    map[string]string // pass, fail or skip
	panicked string            // the line that says so
	unbuilt  string            // what the compiler says
}

// run runs the tests of dirs with the overlay and returns their results.
// A test that hangs ends after a minute, as one that died.
func run(overlay string, dirs []string, flags ...string) (map[string]*result, error) {
	args := append([]string{"test", "-json", "-timeout=1m", "-run=^Test(Broken|Fixed)", "-overlay=" + overlay}, flags...)
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return nil, err
	}
	results := map[string]*result{}
	for _, dir := range dirs {
		results[dir] = &result{tests: map[string]string{}}
	}
	events := json.NewDecoder(bytes.NewReader(out))
	for {
		var e event
		if err := events.Decode(&e); err == io.EOF {
			return results, nil
		} else if err != nil {
			return nil, fmt.Errorf("go test -json: %w", err)
		}
		for _, dir := range dirs {
			if strings.HasSuffix(e.pkg(), "/"+dir) {
				results[dir].add(e)
			}
		}
	}
}

// An event is a line of go test -json (see go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// pkg returns the package that the event is about. A build names it as
// "path [path.test]".
func (e event) pkg() string {
	path, _, _ := strings.Cut(e.ImportPath, " ")
	return e.Package + path
}

func (r *result) add(e event) {
	switch e.Action {
	case "build-output":
		r.unbuilt += e.Output
	case "pass", "fail", "skip":
		r.tests[e.Test] = e.Action
	case "output":
		if strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ") {
			r.panicked = strings.TrimSpace(e.Output)
		}
	}
}
