package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// testDecl finds the tests of the broken and of the fixed code. Others,
// which show something about both or neither, may pass.
var testDecl = regexp.MustCompile(`(?m)^func (Test(Broken|Fixed)\w*)\(`)

// testsIn returns the names of the tests of a pitfall.
func testsIn(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, m := range testDecl.FindAllSubmatch(src, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names, nil
}

// judge says what is wrong with the tests of a pitfall, given what they did
// after the exchange. None of them may pass, be skipped, or die.
func judge(dir string, tests []string, r *result) []string {
	if r.unbuilt != "" {
		return []string{dir + ": does not compile after the exchange:\n" + r.unbuilt}
	}
	if r.panicked != "" {
		return []string{dir + ": ends without an assertion: " + r.panicked}
	}
	var problems []string
	for _, prefix := range []string{"TestBroken", "TestFixed"} {
		if !slices.ContainsFunc(tests, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
			problems = append(problems, fmt.Sprintf("%s: has no %s… test", dir, prefix))
		}
	}
	for _, name := range tests {
		switch did := r.tests[name]; did {
		case "fail":
		case "":
			problems = append(problems, fmt.Sprintf("%s: %s did not run", dir, name))
		default:
			problems = append(problems, fmt.Sprintf("%s: %s: %s, though broken and fixed are exchanged", dir, name, did))
		}
	}
	return problems
}
