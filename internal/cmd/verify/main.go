// Command verify proves that tests can fail. Its argument says which tests:
//
//	go run ./internal/cmd/verify pitfalls [folder ...]
//
// pitfalls exchanges the names of the broken and the fixed code of each
// pitfall. Every test of one of them must then fail an assertion.
//
// The go command reads the changed files through an overlay, so no file of
// the repository changes. Run verify in the root of the module.
package main

import (
	"fmt"
	"os"
)

// modes are what verify can check. A mode returns the problems it found, and
// prints a line if there are none. Without folders it checks all.
var modes = map[string]func(folders []string) (problems []string, err error){
	"pitfalls": pitfalls,
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) (status int) {
	if len(args) == 0 || modes[args[0]] == nil {
		fmt.Fprintf(os.Stderr, "verify: the first argument must be pitfalls, got %q\n", args)
		return 2
	}
	problems, err := modes[args[0]](args[1:])
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "verify:", p)
	}
	return min(len(problems), 1)
}
