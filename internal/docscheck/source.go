package docscheck

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"strings"
)

// A declaration is in lines[first:end] of its file.
type declaration struct{ first, end int }

// A test is a test, example, benchmark or fuzz test.
type test struct{ name, file string }

var (
	word     = regexp.MustCompile(`\w+`)
	testName = regexp.MustCompile(`^(Test|Example|Benchmark|Fuzz)[A-Z0-9_]\w*$`)
)

// addGoFile records the declarations of a file by Name or Type.Method, and
// the tests and examples of a test file.
func (r *repository) addGoFile(name, text string) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	known := map[string]declaration{}
	for _, decl := range file.Decls {
		for _, symbol := range namesOf(decl) {
			known[symbol] = declaration{fset.Position(decl.Pos()).Line - 1, fset.Position(decl.End()).Line}
			if strings.HasSuffix(name, "_test.go") && testName.MatchString(symbol) {
				r.tests = append(r.tests, test{symbol, name})
			}
		}
	}
	r.declared[name] = known
	for _, example := range doc.Examples(file) {
		r.outputs[path.Dir(name)+" Example"+example.Name] = strings.Trim(example.Output, "\n")
	}
	return nil
}

// namesOf returns the names that a declaration declares. A name of a group
// stands for the whole group.
func namesOf(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := types.ExprString(d.Recv.List[0].Type) // such as *Log[T]
		return []string{word.FindString(receiver) + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

var protoName = regexp.MustCompile(`^( *)(?:message|service|rpc|enum) (\w+)`)

// protoDeclared returns the messages, services, RPCs and enums of a file
// that buf has formatted. Inner ones have names such as Service.Method.
func protoDeclared(lines []string) map[string]declaration {
	known, outer := map[string]declaration{}, ""
	for i, line := range lines {
		m := protoName.FindStringSubmatch(line)
		switch {
		case m == nil:
		case m[1] == "":
			outer = m[2]
			known[outer] = declaration{i, i + protoLength(lines[i:], "}")}
		default:
			known[outer+"."+m[2]] = declaration{i, i + protoLength(lines[i:], m[1]+"}")}
		}
	}
	return known
}

// protoLength counts the lines of a declaration: up to the closing brace
// if a line opens a block, else up to the semicolon.
func protoLength(lines []string, brace string) int {
	block := false
	for i, line := range lines {
		block = block || strings.HasSuffix(line, "{")
		if line == brace || !block && (strings.HasSuffix(line, ";") || strings.HasSuffix(line, "}")) {
			return i + 1
		}
	}
	return len(lines)
}
