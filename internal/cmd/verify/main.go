// Command verify proves that tests can fail:
//
//	go run ./internal/cmd/verify pitfalls [folder ...]
//	go run ./internal/cmd/verify changes [page ...]
//	go run ./internal/cmd/verify exercises [folder ...]
//
// With pitfalls, it exchanges the names of the broken and the fixed code of
// each pitfall. Every TestBroken and every TestFixed must then fail an
// assertion. Without folders, verify checks all pitfalls.
//
// With changes, it makes each change that a page shows under the directive
// "change: file breaks TestName" or "change: file passes TestName". The test
// must do so, and print what the page shows. Without pages, verify checks all
// pages.
//
// With exercises, it grades the stub, the solution and the wrong answers of
// each exercise, and compares the hints that a learner gets with those that
// belong to the mistakes. Without folders, verify checks all exercises. With
// GOFLAGS=-race in the environment, the race detector watches all of it.
//
// The go command reads the changed files through an overlay, so no file of
// the repository changes. Run verify in the root of the module.
package main

import (
	"fmt"
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) (status int) {
	checks := map[string]func([]string) ([]string, error){
		"pitfalls": pitfalls, "changes": changes, "exercises": exercises,
	}
	if len(args) == 0 || checks[args[0]] == nil {
		fmt.Fprintf(os.Stderr, "verify: usage: verify pitfalls [folder ...], changes [page ...], or exercises [folder ...]; got %q\n", args)
		return 2
	}
	problems, err := checks[args[0]](args[1:])
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "verify:", p)
	}
	return min(len(problems), 1)
}
