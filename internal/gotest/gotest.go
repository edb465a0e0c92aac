// Package gotest runs go test and reads what it reports.
package gotest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// An Event is a line of go test -json; see go doc test2json.
type Event struct {
	Action  string
	Package string // the import path
	Test    string // empty for what the whole package did
	Output  string
}

// Run runs go test -json with args in the folder dir, and, when the command has
// ended, calls each with every event, in order. What the command itself says goes to stderr. A test
// that fails is an event and no error.
func Run(ctx context.Context, dir string, args []string, stderr io.Writer, each func(Event)) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Stderr = dir, stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return err
	}
	events := json.NewDecoder(bytes.NewReader(out))
	for {
		var e struct {
			Event
			ImportPath string // of a build, as "path [path.test]"
		}
		if err := events.Decode(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("go test -json: %w", err)
		}
		built, _, _ := strings.Cut(e.ImportPath, " ")
		e.Package += built
		each(e.Event)
	}
}
