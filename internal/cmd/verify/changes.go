package main

import (
	"cmp"
	"fmt"
	"slices"

	"example.com/streams/internal/docscheck"
)

// changes makes the changes that the pages show, one at a time.
func changes(pages []string) (problems []string, err error) {
	all, err := docscheck.Changes(".")
	if err != nil {
		return nil, err
	}
	if len(pages) > 0 {
		all = slices.DeleteFunc(all, func(c docscheck.Change) bool { return !slices.Contains(pages, c.Page) })
	}
	for _, c := range all {
		for _, tt := range []struct {
			when, want string
			changed    map[string][]byte
		}{
			{"before the change", "pass", nil},
			{"after the change", "fail", map[string][]byte{c.File: c.Content}},
		} {
			results, err := goTest([]string{c.Folder}, tt.changed, "-run=^"+c.Test+"$")
			if err != nil {
				return nil, err
			}
			r := results[c.Folder]
			if got := r.of(c.Test); got != tt.want {
				problems = append(problems, fmt.Sprintf("%s:%d: %s: %s %s, got %s, want %s",
					c.Page, c.Line, c.File, c.Test, tt.when, got, tt.want))
			}
		}
	}
	if len(problems) == 0 {
		fmt.Printf("all %d changes that pages show make their tests fail\n", len(all))
	}
	return problems, nil
}

// of returns what a test did: "pass", "fail" or "skip", or why it has no
// result. A panic is a failure, such as that of a bubble that hangs.
func (r *result) of(test string) string {
	switch {
	case r.unbuilt != "":
		return "code that does not compile:\n" + r.unbuilt
	case r.panicked != "":
		return "fail"
	}
	return cmp.Or(r.tests[test], "no result")
}
