package docscheck

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	field       = regexp.MustCompile(`^(?:'[^']*'|"[^"]*"|[^\s'"\\&|;$()]+)(?:\s+|$)`)
	assignments = regexp.MustCompile(`^(?:[A-Z]+=\S+ )+`)
)

// fields splits a command at blanks, without the assignments before it and the
// comment behind it. Quotes may stand around a field.
func fields(command string) (all []string, err error) {
	command, _, _ = strings.Cut(assignments.ReplaceAllString(command, ""), "#")
	for rest := strings.TrimSpace(command); rest != ""; {
		next := field.FindString(rest)
		if next == "" {
			return nil, fmt.Errorf("cannot read %s; write a plain command, or use a text fence", rest)
		}
		rest = rest[len(next):]
		all = append(all, strings.Trim(strings.TrimSpace(next), `'"`))
	}
	return all, nil
}

// checkCommands checks the commands of a line. A prompt may stand before
// them, and pipes between them.
func (r *repository) checkCommands(line string) error {
	for command := range strings.SplitSeq(strings.TrimPrefix(line, "$ "), " | ") {
		args, err := fields(command)
		if err := cmp.Or(err, r.checkCommand(args)); err != nil {
			return err
		}
	}
	return nil
}

// checkCommand checks that the folders of go run and go test exist, and
// that the patterns of go test match a test there.
func (r *repository) checkCommand(args []string) error {
	if !isGoCommand(args) {
		return nil
	}
	module := "."
	if args[2] == "-C" && len(args) > 3 {
		module, args = args[3], append([]string{"go", args[1]}, args[4:]...)
	}
	var folders []string
	for _, arg := range args {
		isFolder := strings.HasPrefix(arg, "./") && !strings.Contains(arg, "<")
		if isFolder && (args[1] == "test" || folders == nil) { // what follows belongs to the program
			folders = append(folders, "./"+path.Join(module, arg))
		}
	}
	for _, folder := range folders {
		if dir := strings.TrimSuffix(folder, "/..."); !r.exists(path.Clean(dir)) {
			return fmt.Errorf("there is no folder %s", dir)
		}
	}
	if args[1] == "test" {
		return r.checkPatterns(args, folders)
	}
	return nil
}

func isGoCommand(args []string) bool {
	return len(args) > 2 && args[0] == "go" && (args[1] == "run" || args[1] == "test")
}

// checkPatterns leaves ^$ alone, the usual way to match nothing.
func (r *repository) checkPatterns(args, folders []string) error {
	for i, arg := range args {
		flag, pattern, joined := strings.Cut(arg, "=")
		if !joined && i+1 < len(args) {
			pattern = args[i+1]
		}
		if flag != "-run" && flag != "-bench" && flag != "-fuzz" || pattern == "^$" {
			continue
		}
		top, _, _ := strings.Cut(pattern, "/") // without the subtest
		re, err := regexp.Compile(top)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(r.tests, func(t test) bool {
			isBenchmark := strings.HasPrefix(t.name, "Benchmark")
			return isBenchmark == (flag == "-bench") && re.MatchString(t.name) && selected(folders, t.file)
		}) {
			return fmt.Errorf("%s %s matches no test in %s", flag, pattern, strings.Join(folders, " "))
		}
	}
	return nil
}

// selected reports whether go test of the folders runs the tests of a file.
func selected(folders []string, file string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		dir, all := strings.CutSuffix(folder, "/...")
		own := "./" + path.Dir(file)
		return own == dir || all && strings.HasPrefix(own+"/", dir+"/")
	})
}
