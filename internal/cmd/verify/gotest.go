package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/streams/internal/gotest"
)

// A result is what the tests of one package did.
type result struct {
	tests    map[string]string // "pass", "fail" or "skip"
	panicked string            // the line that says so
	unbuilt  string            // what the compiler printed
	output   string            // what the tests printed
}

// goTest runs the tests of folders with the changed files, and returns their
// results by folder. A file whose content is nil is missing. Each package
// has a minute.
func goTest(folders []string, changed map[string][]byte, flags ...string) (map[string]*result, error) {
	overlay, remove, err := writeOverlay(changed)
	if err != nil {
		return nil, err
	}
	defer remove()
	args := append([]string{"-timeout=1m", "-overlay=" + overlay}, flags...)
	results := map[string]*result{}
	for _, folder := range folders {
		args = append(args, "./"+filepath.ToSlash(folder))
		results[folder] = &result{tests: map[string]string{}}
	}
	return results, gotest.Run(context.Background(), "", args, os.Stderr, func(e gotest.Event) {
		for _, folder := range folders {
			if strings.HasSuffix(e.Package, "/"+filepath.ToSlash(folder)) {
				results[folder].add(e)
			}
		}
	})
}

// writeOverlay writes the changed files to a temporary folder, and returns
// the path of the overlay that puts them in the place of the real files.
func writeOverlay(changed map[string][]byte) (path string, remove func(), err error) {
	tmp, err := os.MkdirTemp("", "verify")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(tmp) }
	replace := map[string]string{}
	for file, content := range changed {
		if replace[file] = ""; content == nil {
			continue
		}
		replace[file] = filepath.Join(tmp, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(replace[file], content, 0o600); err != nil {
			return "", remove, err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", remove, err
	}
	path = filepath.Join(tmp, "overlay.json")
	return path, remove, os.WriteFile(path, text, 0o600)
}

func (r *result) add(e gotest.Event) {
	switch e.Action {
	case "build-output":
		r.unbuilt += e.Output
	case "pass", "fail", "skip":
		r.tests[e.Test] = e.Action
	case "output":
		r.output += e.Output
		if strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ") {
			r.panicked = strings.TrimSpace(e.Output)
		}
	}
}

// testsIn returns the tests of a folder whose names match.
func testsIn(folder string, match *regexp.Regexp) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range testDecl.FindAllSubmatch(src, -1) {
			if name := string(m[1]); match.MatchString(name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

var testDecl = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
