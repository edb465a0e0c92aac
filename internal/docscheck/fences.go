package docscheck

import (
	"cmp"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkFence compares the body of a fence with its source, and checks the
// commands, the diff or the picture in it.
func (r *repository) checkFence(p *page, f *fence) {
	want, err := r.want(f)
	switch {
	case err != nil:
		p.problem(f.line, "%v", err)
	case !slices.Equal(f.body, want):
		i := 0
		for i < len(f.body) && i < len(want) && f.body[i] == want[i] {
			i++
		}
		p.problem(f.line+1+i, "the fence differs from its source; %s\npage:%s\nsource:%s",
			runUpdate, excerpt(f.body[i:]), excerpt(want[i:]))
	}
	switch f.kind {
	case "sh":
		for i, line := range f.body {
			if err := r.checkCommands(line); err != nil {
				p.problem(f.line+1+i, "%s: %v", line, err)
			}
		}
	case "console":
		r.checkConsole(p, f)
	case "diff":
		if !f.isChange() {
			r.checkDiff(p, f)
		}
	case "mermaid":
		r.checkDiagram(p, f)
	}
}

// excerpt indents the first lines of a text for a message.
func excerpt(lines []string) string {
	const most = 12
	if len(lines) > most {
		lines = append(slices.Clone(lines[:most]), "...")
	}
	return "\n\t" + strings.Join(lines, "\n\t")
}

// want returns the body that a fence must have.
func (r *repository) want(f *fence) ([]string, error) {
	kind, args, _ := strings.Cut(f.directive, ": ")
	switch {
	case kind == "output":
		output := r.outputs[args]
		if output == "" {
			return nil, fmt.Errorf("output: %s: write a folder and the name of an example in it "+
				"that has an // Output: comment", args)
		}
		return strings.Split(output, "\n"), nil
	case kind == "code" && strings.HasPrefix(args, "none"):
		if !reason.MatchString(args) {
			return nil, errors.New("the reason is missing; write <!-- code: none (why no file holds it) -->")
		}
	case kind == "code":
		return r.code(args)
	case kind == "paste":
		return f.body, checkPaste(f)
	case f.isChange() && f.kind != "diff":
		return nil, errors.New("a change directive stands above a diff fence")
	case kind == "diagram" && f.kind != "mermaid":
		return nil, errors.New("a diagram directive stands above a mermaid fence")
	case kind == "printed" && f.kind != "text":
		return nil, errors.New("a printed directive stands above a text fence")
	case (f.kind == "go" || f.kind == "proto") && !f.generated:
		return nil, fmt.Errorf("this %s fence has no source; write <!-- code: path Name --> above it, "+
			"or <!-- code: none (reason) -->", f.kind)
	case f.kind == "console":
		return r.withOutput(f), nil
	}
	return f.body, nil
}

// checkPaste checks that the fence is formatted Go code for a test file.
func checkPaste(f *fence) error {
	body := strings.Join(f.body, "\n")
	formatted, err := format.Source([]byte(body))
	file, _ := f.pasted()
	switch {
	case f.kind != "go" || !strings.HasSuffix(file, "_test.go"):
		return errors.New("write <!-- paste: path/file_test.go --> above a go fence with a test")
	case err != nil:
		return err
	case string(formatted) != body:
		return errors.New("the fence is not formatted; run gofmt")
	}
	return nil
}

var (
	reason = regexp.MustCompile(`^none \(.*\pL.*\)$`)
	// codeArgs are a path, names of declarations, doc, and two patterns.
	codeArgs = regexp.MustCompile(`^(\S+)((?: [\w.]+)*?)( doc)?(?: /(.+)/ /(.+)/)?$`)
)

// code returns the lines that a code directive names.
func (r *repository) code(args string) ([]string, error) {
	m := codeArgs.FindStringSubmatch(args)
	if m == nil {
		return nil, fmt.Errorf("code: %s: write a path, then names, then /from/ /to/, each of the last two if needed", args)
	}
	file, names := m[1], strings.Fields(m[2])
	lines, err := r.lines(file)
	if err == nil && len(names) > 0 {
		lines, err = r.declarations(file, lines, names, m[3] != "")
	}
	if err == nil && m[4] != "" {
		lines, err = fragment(lines, m[4:])
	}
	if err != nil {
		return nil, fmt.Errorf("code: %s: %w", args, err)
	}
	return dedent(lines), nil
}

func (r *repository) declarations(file string, lines, names []string, withDoc bool) (joined []string, err error) {
	known := r.declared[file]
	for i, name := range names {
		d, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("the file does not declare %s; it declares %s", name,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		for d.first > 0 && belongs(lines[d.first-1], withDoc) {
			d.first--
		}
		if i > 0 {
			joined = append(joined, "")
		}
		joined = append(joined, dedent(lines[d.first:d.end])...)
	}
	return joined, nil
}

// belongs reports whether a line above a declaration belongs to it: a
// //go: directive does, and any comment if the doc comment is wanted.
func belongs(line string, withDoc bool) bool {
	return strings.HasPrefix(line, "//go:") || withDoc && strings.HasPrefix(strings.TrimSpace(line), "//")
}

// fragment returns the lines from the first that matches one pattern to the
// first from there that matches the other.
func fragment(lines, patterns []string) ([]string, error) {
	for i, pattern := range patterns {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(lines, re.MatchString)
		switch {
		case n < 0:
			return nil, fmt.Errorf("no line there matches /%s/", pattern)
		case i == 0:
			lines = lines[n:]
		default:
			lines = lines[:n+1]
		}
	}
	return lines, nil
}

// dedent removes the indent that all lines share.
func dedent(lines []string) []string {
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	for _, line := range lines {
		for line != "" && !strings.HasPrefix(line, indent) {
			indent = indent[1:]
		}
	}
	var shifted []string
	for _, line := range lines {
		shifted = append(shifted, strings.TrimPrefix(line, indent))
	}
	return shifted
}

// checkDiff checks the lines of a diff of broken.go and fixed.go in the
// folder of the page.
func (r *repository) checkDiff(p *page, f *fence) {
	folder := path.Dir(p.name)
	broken, errBroken := r.lines(folder + "/broken.go")
	fixed, errFixed := r.lines(folder + "/fixed.go")
	if err := cmp.Or(errBroken, errFixed); err != nil {
		p.problem(f.line, "a diff fence compares broken.go and fixed.go beside the page: %v", err)
		return
	}
	for i, line := range f.body {
		files, where, text := slices.Concat(broken, fixed), "broken.go or fixed.go", line
		if rest, ok := strings.CutPrefix(line, "-"); ok {
			files, where, text = broken, "broken.go", rest
		} else if rest, ok := strings.CutPrefix(line, "+"); ok {
			files, where, text = fixed, "fixed.go", rest
		}
		text = strings.TrimSpace(text)
		if !slices.ContainsFunc(files, func(s string) bool { return strings.TrimSpace(s) == text }) {
			p.problem(f.line+1+i, "%q is no line of %s; copy it from there", text, where)
		}
	}
}
