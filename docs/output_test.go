package docs_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"path"
	"strings"
)

// output returns the lines that an Example prints, as its own test
// checks them.
func (s *site) output(args string) ([]string, error) {
	where, name, ok := strings.Cut(args, " ")
	if name = strings.TrimSpace(name); !ok || !strings.HasPrefix(name, "Example") {
		return nil, fmt.Errorf("output: %s: write a folder or a _test.go file, then an ExampleName", args)
	}
	var files []*ast.File
	for _, t := range s.tests {
		if t.name == name && within(t.file, where) {
			files = append(files, t.syntax)
		}
	}
	for _, example := range doc.Examples(files...) {
		if "Example"+example.Name == name {
			return exampleOutput(args, example)
		}
	}
	return nil, fmt.Errorf("no test file of %s has %s; it has %s", where, name,
		near(s.testNames(where, "Example"), name))
}

// within reports whether a file is the named one or stands in the named
// folder.
func within(file, where string) bool {
	return file == where || path.Dir(file) == path.Clean(where)
}

func exampleOutput(args string, example *doc.Example) ([]string, error) {
	if example.Output == "" {
		return nil, fmt.Errorf("output: %s has no // Output: comment with text, "+
			"so nothing checks what it prints; add one", args)
	}
	return strings.Split(strings.Trim(example.Output, "\n"), "\n"), nil
}
