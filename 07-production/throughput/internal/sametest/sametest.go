// Package sametest copies tests of one package to another package, which is
// to pass the same tests.
package sametest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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

	// Without are the functions, and the types with their methods, that the
	// copies lack, with the reason.
	Without map[string]string
}

// Check fails the test unless the copies are in the current folder, and say
// what the originals say. UPDATE=1 writes them. root is the relative path of
// the root of the repository.
func (c Copy) Check(t *testing.T, root string) {
	t.Helper()
	used := map[string]bool{}
	for _, name := range c.Files {
		source, err := os.ReadFile(filepath.Join(root, c.From, name))
		require.NoError(t, err)
		text := c.remove(t, strings.ReplaceAll(string(source), "\r\n", "\n"), used)
		formatted, err := format.Source([]byte(c.edit(name, text)))
		require.NoError(t, err)
		if held, _ := os.ReadFile(c.Prefix + name); !golden.Update() && string(held) != string(formatted) {
			t.Errorf("%s must be a copy of %s/%s; UPDATE=1 go test copies it", c.Prefix+name, c.From, name)
			continue
		}
		golden.File(t, c.Prefix+name, string(formatted))
	}
	for name := range c.Without {
		require.True(t, used[name], "%s has no %s", c.From, name)
	}
}

// remove cuts the declarations that the copies lack, with their comments. It
// writes to used what it has cut.
func (c Copy) remove(t *testing.T, text string, used map[string]bool) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range slices.Backward(file.Decls) {
		name, doc := nameOf(d)
		if _, ok := c.Without[name]; !ok {
			continue
		}
		used[name] = true
		start := d.Pos()
		if doc != nil {
			start = doc.Pos()
		}
		// Positions of the only file of a set begin with 1.
		text = text[:start-1] + strings.TrimLeft(text[d.End()-1:], "\n")
	}
	return text
}

// nameOf returns the name of a function or type, and its comment. The name
// of a method is that of its type. Other declarations have an empty name.
func nameOf(d ast.Decl) (string, *ast.CommentGroup) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			return fmt.Sprint(receiver), d.Doc
		}
		return d.Name.Name, d.Doc
	case *ast.GenDecl:
		if spec, ok := d.Specs[0].(*ast.TypeSpec); ok {
			return spec.Name.Name, d.Doc
		}
	}
	return "", nil
}

var (
	packageClause = regexp.MustCompile(`(?m)^package \w+$`)
	imported      = regexp.MustCompile(`(?m)^\t(?:(\w+) )?"([\w./-]+?)(?:/v\d+)?"\n`)
	testFunc      = regexp.MustCompile(`(?m)^func Test(\w+)\(t \*testing\.T\) \{$`)
)

// edit changes the package clause, and removes imports that nothing uses
// anymore.
func (c Copy) edit(name, text string) string {
	text = packageClause.ReplaceAllString(text, "package "+c.To)
	for _, m := range imported.FindAllStringSubmatch(text, -1) {
		if name := cmp.Or(m[1], path.Base(m[2])); !strings.Contains(text, name+".") {
			text = strings.Replace(text, m[0], "", 1)
		}
	}
	if c.Each != "" {
		text = testFunc.ReplaceAllString(text,
			"func Test$1(t *testing.T) { "+c.Each+"(t, test$1) }\n\nfunc test$1(t *testing.T) {")
	}
	return fmt.Sprintf("// Code generated from %s/%s; DO NOT EDIT.\n\n%s", c.From, name, text)
}
