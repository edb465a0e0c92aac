package docs_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkFences compares each fence that has a source with it.
func (s *site) checkFences(p *page) (found []finding) {
	for _, d := range p.directives {
		want, err := s.wanted(d)
		switch {
		case err != nil:
			found = append(found, at(d.line, "%v", err))
		case d.fence == nil && d.isNone():
			found = append(found, at(d.line, "no fence follows; remove the comment"))
		case d.fence == nil:
			found = append(found, at(d.line, "no fence follows; run: go test ./docs -update"))
		case !d.isNone() && !slices.Equal(d.fence.body, want):
			found = append(found, d.stale(want))
		}
	}
	for _, f := range p.fences {
		if lang := f.language(); !f.directed && slices.Contains(sourced, lang) {
			found = append(found, at(f.open, "no source for this %s fence; write "+
				"<!-- code: path Symbol --> before it, or <!-- code: none (reason) -->", lang))
		}
	}
	return found
}

// sourced are the languages that no page shows without a source.
var sourced = []string{"go", "golang", "proto", "protobuf"}

// stale names the first line to mend.
func (d *directive) stale(want []string) finding {
	i, got := 0, d.fence.body
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return at(d.fence.open+1+i, "the %s of %s has changed; run: go test ./docs -update\n"+
		"\tpage: %s\n\tcode: %s", d.kind, d.args, lineOrEnd(got, i), lineOrEnd(want, i))
}

func lineOrEnd(lines []string, i int) string {
	if i == len(lines) {
		return "(ends)"
	}
	return lines[i]
}

var noSource = regexp.MustCompile(`^none\b`)

func (d *directive) isNone() bool {
	return d.kind == "code" && noSource.MatchString(d.args)
}

// wanted returns the lines that the fence of a directive must hold.
func (s *site) wanted(d *directive) (lines []string, err error) {
	switch {
	case d.isNone():
		return nil, checkReason(d.args)
	case d.kind == "output":
		lines, err = s.output(d.args)
	default:
		lines, err = s.code(d.args)
	}
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			lines[i] = ""
		}
	}
	return lines, err
}

var reason = regexp.MustCompile(`^none\s+\(.*\pL.*\)$`)

func checkReason(args string) error {
	if !reason.MatchString(args) {
		return fmt.Errorf("code without a source needs a reason; " +
			"write <!-- code: none (why no file holds it) -->")
	}
	return nil
}

// updated returns the text of a page with its stale fences rewritten.
// What has a problem that only the writer can mend stays as it is.
func (s *site) updated(p *page) string {
	lines := slices.Clone(p.lines)
	for _, d := range slices.Backward(p.directives) {
		want, err := s.wanted(d)
		switch {
		case err != nil || d.isNone():
		case d.fence == nil:
			lines = slices.Insert(lines, d.line, d.newFence(want, lines[d.line:])...)
		case !slices.Equal(d.fence.body, want):
			f := d.fence
			lines = slices.Replace(lines, f.open-1, f.end, f.render(lines[f.open-1], want)...)
		}
	}
	return strings.Join(lines, "\n")
}

// newFence makes the fence that is missing between a directive and what
// follows it.
func (d *directive) newFence(body, following []string) []string {
	f := &fence{prefix: d.prefix, marker: "```"}
	lines := f.render(f.prefix+f.marker+d.language(), body)
	if len(following) > 0 && strings.TrimSpace(following[0]) != "" {
		lines = append(lines, strings.TrimRight(d.prefix, " "))
	}
	return lines
}

// language guesses the info string of a new fence.
func (d *directive) language() string {
	file, _, _ := strings.Cut(d.args, " ")
	switch ext := path.Ext(file); {
	case d.kind == "output":
		return "text"
	case ext == ".go", ext == ".proto", ext == ".yaml", ext == ".mod":
		return ext[1:]
	case ext == ".sh", file == ".ci/run":
		return "sh"
	default:
		return "text"
	}
}

// render returns the lines of a fence with a new body. Its markers grow
// if the body would close it.
func (f *fence) render(opening string, body []string) []string {
	marker := f.marker
	for slices.ContainsFunc(body, (&fence{marker: marker}).closes) {
		marker += marker[:1]
	}
	lines := []string{strings.Replace(opening, f.marker, marker, 1)}
	for _, line := range body {
		if line == "" {
			lines = append(lines, strings.TrimRight(f.prefix, " \t"))
		} else {
			lines = append(lines, f.prefix+line)
		}
	}
	return append(lines, f.prefix+marker)
}
