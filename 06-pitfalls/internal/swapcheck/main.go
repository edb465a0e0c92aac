// Command swapcheck shows that no test of a pitfall is a decoration. In
// every pitfall the broken and the fixed code exchange their names, and
// each test of either must then fail an assertion.
//
//	go run ./06-pitfalls/internal/swapcheck
//
// The exchange happens in an overlay of the go command; no file changes. It
// runs in the root of the module, and takes the folders to check if not all.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	patterns := os.Args[1:]
	if len(patterns) == 0 {
		patterns = []string{"06-pitfalls/*"}
	}
	problems, err := check(patterns)
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "swapcheck:", p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// check exchanges the code of every pitfall, runs the tests, and says what
// is wrong with them.
func check(patterns []string) (problems []string, err error) {
	dirs, err := pitfalls(patterns)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "swapcheck")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	overlay, err := writeOverlay(tmp, dirs)
	if err != nil {
		return nil, err
	}
	results, err := runAll(overlay, dirs)
	if err != nil {
		return nil, err
	}
	count := 0
	for _, dir := range dirs {
		tests, err := testsIn(dir)
		if err != nil {
			return nil, err
		}
		count += len(tests)
		problems = append(problems, judge(dir, tests, results[dir])...)
	}
	if len(problems) == 0 {
		fmt.Printf("all %d tests of %d pitfalls notice the exchange\n", count, len(dirs))
	}
	return problems, nil
}

// pitfalls returns the folders that match a pattern and have a broken.go.
func pitfalls(patterns []string) ([]string, error) {
	var dirs []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(p, "broken.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			dirs = append(dirs, filepath.Dir(f))
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no broken.go in %q", patterns)
	}
	return dirs, nil
}

// runAll runs the tests of dirs, and those that skipped one again with the
// race detector, their witness.
func runAll(overlay string, dirs []string) (map[string]*result, error) {
	results, err := run(overlay, dirs)
	if err != nil {
		return nil, err
	}
	var raced []string
	for _, dir := range dirs {
		if slices.Contains(slices.Collect(maps.Values(results[dir].tests)), "skip") {
			raced = append(raced, dir)
		}
	}
	if len(raced) == 0 {
		return results, nil
	}
	again, err := run(overlay, raced, "-race")
	maps.Copy(results, again)
	return results, err
}
