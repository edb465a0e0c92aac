// Package sametest copies tests of one package to another package, which is
// to pass the same tests.
package sametest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// A Copy is a set of test files of another package. Not safe for concurrent
// use.
type Copy struct {
	From   string   // the folder, from the root of the repository
	Files  []string // in that folder, such as "server_test.go"
	Prefix string   // of the names of the copies
	To     string   // the name of the package of the copies
	Each   string   // if not empty, a helper that calls each test: Each(t, test)

	// Without are the tests and types that the copies lack, with the reason.
	Without map[string]string
}

// Check fails the test unless the copies are in the current folder, and say
// what the originals say. UPDATE=1 writes them. root is the relative path of
// the root of the repository.
func (c Copy) Check(t *testing.T, root string) {
	t.Helper()
	lacks := map[string]bool{}
	for _, name := range c.Files {
		source, err := os.ReadFile(filepath.Join(root, c.From, name))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(source), "\r\n", "\n")
		for without := range c.Without {
			shorter := remove(text, without)
			lacks[without] = lacks[without] || shorter != text
			text = shorter
		}
		golden.File(t, c.Prefix+name, c.edit(name, text))
	}
	for without := range c.Without {
		require.True(t, lacks[without], "%s has no %s", c.From, without)
	}
}

var (
	packageClause = regexp.MustCompile(`(?m)^package \w+$`)
	testFunc      = regexp.MustCompile(`(?m)^func (Test)(\w+)\(t \*testing\.T\) \{$`)
)

func (c Copy) edit(name, text string) string {
	text = packageClause.ReplaceAllString(text, "package "+c.To)
	if c.Each != "" {
		text = testFunc.ReplaceAllString(text,
			"func Test$2(t *testing.T) { "+c.Each+"(t, test$2) }\n\nfunc test$2(t *testing.T) {")
	}
	return fmt.Sprintf("// Code generated from %s/%s; DO NOT EDIT.\n\n%s", c.From, name, text)
}

// remove cuts a top-level function, a type or an import, and the comment
// above it.
func remove(text, name string) string {
	declaration := regexp.MustCompile(`(?m)^(//.*\n)*(func|type) ` + name + `\b(.|\n)*?^\}\n\n?`)
	imported := regexp.MustCompile(`(?m)^\t"` + name + `"\n`)
	return imported.ReplaceAllString(declaration.ReplaceAllString(text, ""), "")
}
