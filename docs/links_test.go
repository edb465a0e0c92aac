package docs_test

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (s *site) checkLinks(p *page) (found []finding) {
	for _, l := range p.links {
		u, err := url.Parse(l.target)
		if err != nil {
			found = append(found, at(l.line, "link %s: %v", l.target, err))
			continue
		}
		if !l.reference {
			err = s.resolve(p, u)
		}
		if err == nil {
			err = s.checkSymbol(p, l.text, u)
		}
		if err != nil {
			found = append(found, at(l.line, "link %s: %v", l.target, err))
		}
	}
	return found
}

// resolve checks that a target is there. The web is not asked.
func (s *site) resolve(p *page, u *url.URL) error {
	switch {
	case u.Scheme == "http" || u.Scheme == "https":
		if u.Host == "" {
			return fmt.Errorf("names no host")
		}
		return nil
	case u.Scheme == "mailto":
		return nil
	case u.Scheme != "" || u.Host != "" || path.IsAbs(u.Path) || u.Path+u.Fragment == "":
		return fmt.Errorf("is neither http(s) nor a path relative to this page")
	}
	return s.resolvePath(targetOf(p, u), u.Fragment)
}

// targetOf returns the file that a relative link of a page leads to.
func targetOf(p *page, u *url.URL) string {
	if u.Path == "" {
		return p.name
	}
	return path.Join(path.Dir(p.name), u.Path)
}

func (s *site) resolvePath(target, anchor string) error {
	switch {
	case strings.HasPrefix(target+"/", "../"):
		return fmt.Errorf("leads out of the repository")
	case !s.exists(target):
		return fmt.Errorf("there is no %s; name a file or folder relative to this page", target)
	case anchor == "":
		return nil
	case s.isDir(target):
		return s.resolvePath(path.Join(target, "README.md"), anchor)
	case path.Ext(target) == ".md":
		return s.resolveAnchor(target, anchor)
	default:
		return s.resolveLine(target, anchor)
	}
}

func (s *site) resolveAnchor(target, anchor string) error {
	p, err := s.page(target)
	if err != nil || p.anchors[anchor] {
		return err
	}
	return fmt.Errorf("no heading of %s has the anchor #%s; it has %s", target, anchor,
		near(slices.Collect(maps.Keys(p.anchors)), anchor))
}

var lineAnchor = regexp.MustCompile(`^L(\d+)(?:-L(\d+))?$`)

func (s *site) resolveLine(target, anchor string) error {
	m := lineAnchor.FindStringSubmatch(anchor)
	if m == nil {
		return fmt.Errorf("%s has lines, such as #L1, but no anchor #%s", target, anchor)
	}
	lines, err := s.lines(target)
	if err != nil {
		return err
	}
	for _, number := range m[1:] {
		if n, err := strconv.Atoi(number); err == nil && (n < 1 || n > len(lines)) {
			return fmt.Errorf("%s has %d lines, so there is no #%s", target, len(lines), anchor)
		}
	}
	return nil
}

// symbolText matches the text of a link that is a symbol in code style,
// such as `Log.Append`, `(*Log).Append` or `Append()`.
var symbolText = regexp.MustCompile("^`\\(?\\*?([A-Za-z_]\\w*)\\)?((?:\\.[A-Za-z_]\\w*)*)(?:\\(\\))?`$")

// checkSymbol checks that a link from a symbol to a file leads to the
// file that declares it.
func (s *site) checkSymbol(p *page, text string, u *url.URL) error {
	m := symbolText.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || u.Scheme != "" || u.Path == "" || strings.Contains(text, path.Base(u.Path)) {
		return nil
	}
	symbol, target := m[1]+m[2], targetOf(p, u)
	ok, err := true, error(nil)
	switch path.Ext(target) {
	case ".go":
		ok, err = s.goDeclares(target, symbol)
	case ".proto":
		ok, err = s.mentions(target, symbol)
	}
	if err == nil && !ok {
		err = fmt.Errorf("%s does not declare %s; link to the file that does", target, symbol)
	}
	return err
}

// goDeclares also knows a symbol with the package before it, and the
// package itself.
func (s *site) goDeclares(file, symbol string) (bool, error) {
	f, err := s.goFile(file)
	if err != nil {
		return false, err
	}
	pkg := strings.TrimSuffix(f.syntax.Name.Name, "_test")
	symbol = strings.TrimPrefix(symbol, pkg+".")
	_, ok := f.declared[symbol]
	return ok || f.members[symbol] || symbol == pkg, nil
}

// mentions reports whether each part of a symbol is a word of a file.
func (s *site) mentions(file, symbol string) (bool, error) {
	lines, err := s.lines(file)
	text := strings.Join(lines, "\n")
	for part := range strings.SplitSeq(symbol, ".") {
		if !regexp.MustCompile(`\b` + part + `\b`).MatchString(text) {
			return false, err
		}
	}
	return true, err
}
