package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
)

// A goFile is a Go file, parsed once.
type goFile struct {
	syntax   *ast.File
	declared map[string]declaration // by Name or Type.Method
	members  map[string]bool        // struct fields and interface methods, as Type.Name
	lineOf   func(token.Pos) int
}

func (s *site) goFile(name string) (*goFile, error) {
	if f, ok := s.goCache[name]; ok {
		return f, nil
	}
	text, err := fs.ReadFile(s.fsys, name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("does not parse: %w", err)
	}
	f := &goFile{syntax: syntax, declared: map[string]declaration{}, members: map[string]bool{}}
	f.lineOf = func(p token.Pos) int { return fset.PositionFor(p, false).Line }
	for _, decl := range syntax.Decls {
		f.add(decl)
	}
	s.goCache[name] = f
	return f, nil
}

func (f *goFile) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		f.declared[name] = f.span(decl, d.Doc)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			f.addSpec(spec, f.span(decl, d.Doc))
		}
	}
}

// addSpec records the names of a type, constant or variable. One of a
// group stands for the whole group.
func (f *goFile) addSpec(spec ast.Spec, d declaration) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		f.declared[spec.Name.Name] = d
		f.addMembers(spec)
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			f.declared[name.Name] = d
		}
	}
}

func (f *goFile) addMembers(spec *ast.TypeSpec) {
	var fields *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			f.members[spec.Name.Name+"."+name.Name] = true
		}
	}
}

// span returns the lines of a declaration. A //go: directive above it is
// code, the rest of the comment is its doc.
func (f *goFile) span(decl ast.Decl, doc *ast.CommentGroup) declaration {
	d := declaration{first: f.lineOf(decl.Pos()), last: f.lineOf(decl.End())}
	d.doc = d.first
	if doc == nil {
		return d
	}
	d.doc = f.lineOf(doc.Pos())
	for i := len(doc.List) - 1; i >= 0 && strings.HasPrefix(doc.List[i].Text, "//go:"); i-- {
		d.first = f.lineOf(doc.List[i].Pos())
	}
	return d
}

// receiver returns the Log of (l *Log[T]).
func receiver(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}
