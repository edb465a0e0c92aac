package docs_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A command is one "go verb arg..." of a page, run in a folder.
type command struct {
	line int
	dir  string
	verb string
	args []string
}

// checkCommands checks that the folders which the go commands of a page
// name exist, and that their patterns match a test there.
func (s *site) checkCommands(p *page) (found []finding) {
	for _, c := range s.commands(p) {
		if err := s.checkCommand(c); err != nil {
			found = append(found, at(c.line, "go %s %s: %v", c.verb, strings.Join(c.args, " "), err))
		}
	}
	return found
}

// commands returns the go commands of a page: in inline code, in sh
// fences, and after the prompts of console fences.
func (s *site) commands(p *page) (all []command) {
	for _, code := range p.spans {
		all = append(all, s.goCommands([]span{code})...)
	}
	for _, f := range p.fences {
		switch f.language() {
		case "sh", "bash", "shell":
			all = append(all, s.goCommands(shellLines(f, ""))...)
		case "console":
			all = append(all, s.goCommands(shellLines(f, "$ "))...)
		}
	}
	return all
}

// shellLines returns the lines of a fence that begin with a prompt,
// joined with those that a backslash continues.
func shellLines(f *fence, prompt string) (lines []span) {
	for i := 0; i < len(f.body); i++ {
		text, ok := strings.CutPrefix(f.body[i], prompt)
		if !ok {
			continue
		}
		line := f.open + 1 + i
		for strings.HasSuffix(text, `\`) && i+1 < len(f.body) {
			i++
			text = strings.TrimSuffix(text, `\`) + f.body[i]
		}
		lines = append(lines, span{line, text})
	}
	return lines
}

// goCommands finds "go verb" in shell lines. They start in the root of
// the repository, and cd into its folders holds for the lines after it.
func (s *site) goCommands(lines []span) (all []command) {
	dir := "."
	for _, line := range lines {
		for _, words := range splitShell(line.text) {
			if len(words) == 2 && words[0] == "cd" && s.isDir(path.Join(dir, words[1])) {
				dir = path.Join(dir, words[1])
			}
			if i := slices.Index(words, "go"); i >= 0 && i+1 < len(words) {
				all = append(all, command{line.line, dir, words[i+1], words[i+2:]})
			}
		}
	}
	return all
}

var (
	shellToken = regexp.MustCompile(`^(?:\s+|#.*|[|&;<>()]+|(?:'[^']*'|"[^"]*"|[^\s'"|&;<>()])+|.)`)
	shellQuote = strings.NewReplacer(`'`, "", `"`, "")
)

// splitShell splits a line into its commands, and those into words.
func splitShell(line string) (commands [][]string) {
	words := []string(nil)
	for line != "" {
		token := shellToken.FindString(line)
		line = line[len(token):]
		switch {
		case strings.ContainsAny(token[:1], "|&;<>()"):
			commands, words = append(commands, words), nil
		case strings.TrimSpace(token) != "":
			words = append(words, shellQuote.Replace(token))
		}
	}
	return append(commands, words)
}

// checkCommand leaves alone what holds a placeholder, such as NN-name.
func (s *site) checkCommand(c command) error {
	folders := c.folders()
	for _, folder := range folders {
		dir, _ := splitTree(folder)
		switch {
		case strings.Contains(folder, "NN-"):
			return nil
		case c.verb == "run" && path.Ext(dir) == ".go" && s.exists(dir):
		case !s.isDir(dir):
			return fmt.Errorf("there is no folder %s", dir)
		}
	}
	if c.verb != "test" {
		return nil
	}
	return s.checkPatterns(c, folders)
}

// splitTree returns the dir of "dir/...", and whether all below it is meant.
func splitTree(folder string) (dir string, all bool) {
	dir, all = strings.CutSuffix("./"+folder, "/...")
	return path.Clean(dir), all
}

// folders returns the packages that a command names, from the root. What
// follows the package of go run belongs to the program.
func (c command) folders() (folders []string) {
	if !slices.Contains([]string{"run", "test", "build", "vet", "generate"}, c.verb) {
		return nil
	}
	for _, arg := range c.args {
		if arg == "-args" {
			break
		}
		if arg == "." || strings.HasPrefix(arg, "./") || strings.HasPrefix(arg, "../") {
			folders = append(folders, path.Join(c.dir, arg))
			if c.verb == "run" {
				break
			}
		}
	}
	if len(folders) == 0 {
		return []string{c.dir}
	}
	return folders
}

// patternFlags select the tests of a command by the start of their name.
var patternFlags = []struct {
	name  string
	kinds *regexp.Regexp
}{
	{"run", regexp.MustCompile(`^(Test|Example|Fuzz)`)},
	{"bench", regexp.MustCompile(`^Benchmark`)},
	{"fuzz", regexp.MustCompile(`^Fuzz`)},
}

// checkPatterns checks that -run, -bench and -fuzz match something. The
// pattern ^$ is the usual way to match nothing.
func (s *site) checkPatterns(c command, folders []string) error {
	for _, flag := range patternFlags {
		pattern, ok := c.flag(flag.name)
		if !ok || pattern == "^$" {
			continue
		}
		first, _, _ := strings.Cut(pattern, "/")
		re, err := regexp.Compile(first)
		if err != nil {
			return fmt.Errorf("-%s: %w", flag.name, err)
		}
		if !slices.ContainsFunc(s.tests, func(t testFunc) bool {
			return flag.kinds.MatchString(t.name) && re.MatchString(t.name) && selected(folders, t.file)
		}) {
			return fmt.Errorf("-%s %s matches no test in %s", flag.name, pattern, strings.Join(folders, " "))
		}
	}
	return nil
}

// flag returns the value of -name value or -name=value.
func (c command) flag(name string) (string, bool) {
	for i, arg := range c.args {
		key, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case key != name || !strings.HasPrefix(arg, "-"):
		case joined:
			return value, true
		case i+1 < len(c.args):
			return c.args[i+1], true
		}
	}
	return "", false
}

// selected reports whether go test of the folders runs the tests of a file.
func selected(folders []string, file string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		dir, all := splitTree(folder)
		own := path.Dir(file)
		return own == dir || all && (dir == "." || strings.HasPrefix(own, dir+"/"))
	})
}
