// Command verify proves that the tests of the pitfalls can fail:
//
//	go run ./internal/cmd/verify pitfalls [folder ...]
//
// It exchanges the names of the broken and the fixed code of each pitfall.
// Every TestBroken and every TestFixed must then fail an assertion. Without
// folders, verify checks all pitfalls.
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
	if len(args) == 0 || args[0] != "pitfalls" {
		fmt.Fprintf(os.Stderr, "verify: usage: verify pitfalls [folder ...]; got %q\n", args)
		return 2
	}
	problems, err := pitfalls(args[1:])
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "verify:", p)
	}
	return min(len(problems), 1)
}
