package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"example.com/streams/internal/docscheck"
)

// changes makes the changes that the pages show, each of them alone.
func changes(pages []string) (problems []string, err error) {
	all, err := docscheck.Changes(".")
	if err != nil {
		return nil, err
	}
	if len(pages) > 0 {
		all = slices.DeleteFunc(all, func(c *docscheck.Change) bool { return !slices.Contains(pages, c.Page) })
	}
	found := make([][]string, len(all))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i, c := range all {
		g.Go(func() error {
			wrong, err := check(c)
			for _, text := range wrong {
				found[i] = append(found[i], fmt.Sprintf("%s:%d: %s %s", c.Page, c.Line, c.Test, text))
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	problems = slices.Concat(found...)
	if len(problems) == 0 {
		fmt.Printf("all %d changes that pages show do what the pages say\n", len(all))
	}
	return problems, nil
}

// check runs the test of a change after it, and also before it if the change
// makes the test pass, and returns what the page does not say. That a test of
// the repository passes before a change that breaks it, go test ./... shows.
func check(c *docscheck.Change) (wrong []string, err error) {
	before := &result{tests: map[string]string{c.Test: "pass"}}
	if c.Passes {
		results, err := goTest([]string{c.Folder}, c.Before, "-run=^"+c.Test+"$")
		if err != nil {
			return nil, err
		}
		before = results[c.Folder]
	}
	after, err := goTest([]string{c.Folder}, c.After, "-run=^"+c.Test+"$")
	if err != nil {
		return nil, err
	}
	return compare(c, before, after[c.Folder]), nil
}

// compare returns in which ways the results before and after a change differ
// from what the page says.
func compare(c *docscheck.Change, b, a *result) (wrong []string) {
	wantBefore, wantAfter := "pass", "fail"
	if c.Passes {
		wantBefore, wantAfter = "fail", "pass"
	}
	// A test that the reader pastes may call what the change declares.
	mayNotCompile := c.Passes && b.unbuilt != ""
	if got := b.of(c.Test); got != wantBefore && !mayNotCompile {
		wrong = append(wrong, fmt.Sprintf("before the change: got %s, want %s", got, wantBefore))
	}
	if got := a.of(c.Test); got != wantAfter {
		wrong = append(wrong, fmt.Sprintf("after the change: got %s, want %s\n%s", got, wantAfter, a.output))
	}
	rest := a.output
	for _, line := range c.Printed {
		_, below, ok := strings.Cut(rest, strings.TrimSpace(line))
		if !ok {
			wrong = append(wrong, fmt.Sprintf("does not print %q, or not in this order:\n%s", line, a.output))
			break
		}
		rest = below
	}
	return wrong
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
