package main

import (
	"cmp"
	"fmt"
	"go/scanner"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// swapped are the tests that must fail. Other tests show what the fixed code
// survives, or something about both codes or about gRPC itself.
var swapped = regexp.MustCompile(`^Test(Broken|Fixed)_`)

func pitfalls(folders []string) (problems []string, err error) {
	if len(folders) == 0 {
		found, err := filepath.Glob(filepath.Join("06-pitfalls", "*", "broken.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			folders = append(folders, filepath.Dir(file))
		}
	}
	changed := map[string][]byte{}
	for i, folder := range folders {
		folders[i] = filepath.Clean(folder)
		if err := exchange(folders[i], changed); err != nil {
			return nil, err
		}
	}
	results, err := goTest(folders, changed, "-run="+swapped.String())
	if err != nil {
		return nil, err
	}
	// Tests that need the race detector skip themselves without it.
	raced := slices.DeleteFunc(slices.Clone(folders), func(folder string) bool {
		return !slices.Contains(slices.Collect(maps.Values(results[folder].tests)), "skip")
	})
	if len(raced) > 0 {
		again, err := goTest(raced, changed, "-run="+swapped.String(), "-race")
		if err != nil {
			return nil, err
		}
		maps.Copy(results, again)
	}
	count := 0
	for _, folder := range folders {
		tests, err := testsIn(folder, swapped)
		if err != nil {
			return nil, err
		}
		count += len(tests)
		problems = append(problems, judge(folder, tests, results[folder])...)
	}
	if len(problems) == 0 {
		fmt.Printf("all %d tests of %d pitfalls fail when broken and fixed are exchanged\n", count, len(folders))
	}
	return problems, nil
}

// exchange adds the changed files of a pitfall. demo.go is missing among them:
// the code and the tests must compile without the names of the demo.
func exchange(folder string, changed map[string][]byte) error {
	for _, name := range []string{"broken.go", "fixed.go"} {
		path := filepath.Join(folder, name)
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed[path] = swap(src)
	}
	changed[filepath.Join(folder, "demo.go")] = nil
	return nil
}

// judge returns what is wrong with the results, if each of the tests should
// fail an assertion.
func judge(folder string, tests []string, r *result) (problems []string) {
	if r.unbuilt != "" {
		return []string{folder + ": does not compile when Broken and Fixed are exchanged; " +
			"each Broken name needs a Fixed name, and the reverse:\n" + r.unbuilt}
	}
	if r.panicked != "" {
		return []string{folder + ": ends without a failed assertion: " + r.panicked}
	}
	for _, prefix := range []string{"TestBroken_", "TestFixed_"} {
		if !slices.ContainsFunc(tests, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
			problems = append(problems, fmt.Sprintf("%s: has no test whose name begins with %s", folder, prefix))
		}
	}
	for _, name := range tests {
		did := cmp.Or(r.tests[name], "no result")
		if did != "fail" {
			problems = append(problems, fmt.Sprintf("%s: %s: got %s, want fail", folder, name, did))
		}
	}
	return problems
}

// swap exchanges the names that begin with broken and with fixed.
func swap(src []byte) []byte {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, nil, 0)
	var out []byte
	copied := 0
	for {
		pos, tok, name := s.Scan()
		if tok == token.EOF {
			return append(out, src[copied:]...)
		}
		if tok == token.IDENT {
			begin := file.Offset(pos)
			out = append(append(out, src[copied:begin]...), opposite(name)...)
			copied = begin + len(name)
		}
	}
}

func opposite(name string) string {
	for _, p := range [][2]string{{"Broken", "Fixed"}, {"Fixed", "Broken"}, {"broken", "fixed"}, {"fixed", "broken"}} {
		if rest, ok := strings.CutPrefix(name, p[0]); ok {
			return p[1] + rest
		}
	}
	return name
}
