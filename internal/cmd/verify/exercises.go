package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"example.com/streams/internal/docscheck"
)

// maxScreen is the number of lines that a failing exercise may print.
const maxScreen = 30

// exercises checks the graders: the untouched stub is skipped, the solution
// passes, and each answer that is known to be wrong is rejected with the hint
// that belongs to it.
func exercises(folders []string) (problems []string, err error) {
	if len(folders) == 0 {
		found, err := filepath.Glob(filepath.Join("0*", "exercise", "exercise.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			folders = append(folders, filepath.Dir(file))
		}
	}
	count := 0
	for _, folder := range folders {
		e, err := readExercise(filepath.Clean(folder))
		if err != nil {
			return nil, err
		}
		wrong, err := e.check()
		if err != nil {
			return nil, err
		}
		problems = append(problems, wrong...)
		count += len(e.wrong)
	}
	if len(problems) == 0 {
		fmt.Printf("%d exercises wait, their solutions pass, and %d wrong answers get their hints\n", len(folders), count)
	}
	return problems, nil
}

// An exercise is a folder with a stub, a solution, and edits of the solution
// that make it wrong.
type exercise struct {
	folder                       string
	code, stub, solution, readme []byte
	lesson                       []byte // README.md of the chapter
	wrong                        []answer
}

// An answer is known to be wrong.
type answer struct {
	file string
	hint string
	code []byte
}

func readExercise(folder string) (*exercise, error) {
	e := &exercise{folder: folder}
	for name, to := range map[string]*[]byte{
		"exercise.go": &e.code, "grader/stub.go.txt": &e.stub, "solution/solution.go": &e.solution, "README.md": &e.readme,
		"../README.md": &e.lesson,
	} {
		var err error
		if *to, err = os.ReadFile(filepath.Join(folder, filepath.FromSlash(name))); err != nil {
			return nil, err
		}
	}
	e.solution = bytes.Replace(e.solution, []byte("\npackage solution\n"), []byte("\npackage exercise\n"), 1)
	files, err := filepath.Glob(filepath.Join(folder, "grader", "wrong", "*.diff"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		a, err := wrongAnswer(string(e.solution), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		a.file = file
		e.wrong = append(e.wrong, *a)
	}
	return e, nil
}

// wrongAnswer edits a solution. The first line of text is "hint: " and the
// hint that a learner must get; then come diffs, with a line @@ between them.
func wrongAnswer(solution, text string) (*answer, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	hint, ok := strings.CutPrefix(first, "hint: ")
	if !ok {
		return nil, fmt.Errorf("the first line must be hint: and the summary of a hint, got %q", first)
	}
	lines := strings.Split(strings.TrimSuffix(solution, "\n"), "\n")
	for diff := range strings.SplitSeq(rest, "\n@@\n") {
		var err error
		if lines, err = docscheck.Apply(lines, strings.Split(strings.Trim(diff, "\n"), "\n")); err != nil {
			return nil, err
		}
	}
	return &answer{hint: hint, code: []byte(strings.Join(lines, "\n") + "\n")}, nil
}

func (e *exercise) check() (problems []string, err error) {
	problem := func(format string, args ...any) {
		problems = append(problems, e.folder+": "+fmt.Sprintf(format, args...))
	}
	if !bytes.Equal(e.code, e.stub) {
		problem("exercise.go must be as grader/stub.go.txt")
	}
	if len(e.wrong) < 5 {
		problem("grader/wrong must have at least 5 answers, got %d", len(e.wrong))
	}
	run := func(code []byte, flags ...string) (*result, error) {
		results, err := goTest([]string{e.folder}, map[string][]byte{filepath.Join(e.folder, "exercise.go"): code}, flags...)
		return results[e.folder], err
	}
	r, err := run(e.stub)
	if err != nil {
		return nil, err
	}
	if got := r.of("TestExercise"); got != "skip" {
		problem("the stub: got %s, want skip\n%s", got, r.output)
	}
	if err := os.Setenv("GRADE_ALWAYS", "1"); err != nil { // go test sees the real exercise.go, which is the stub
		return nil, err
	}
	defer func() { _ = os.Unsetenv("GRADE_ALWAYS") }() // fails only for an empty name
	if r, err = run(e.solution); err != nil {
		return nil, err
	}
	if got := r.of("TestExercise"); got != "pass" {
		problem("the solution: got %s, want pass\n%s", got, r.output)
	}
	wrong := make([][]string, len(e.wrong))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i, a := range e.wrong {
		g.Go(func() error {
			r, err := run(a.code, "-vet=off")
			if err == nil && r.of("TestExercise") == "pass" {
				r, err = run(a.code, "-vet=off", "-race") // some mistakes are data races
			}
			if err != nil {
				return err
			}
			for _, text := range judgeAnswer(&a, r, string(e.readme), string(e.lesson)) {
				wrong[i] = append(wrong[i], fmt.Sprintf("%s: %s\n%s", filepath.Base(a.file), text, r.output))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, text := range slices.Concat(wrong...) {
		problem("%s", text)
	}
	return problems, nil
}

// reread is the line that names a section of the lesson.
var reread = regexp.MustCompile(`Read again: \S+, "(.*)"`)

// judgeAnswer says how the result of a wrong answer differs from what a
// learner needs.
func judgeAnswer(a *answer, r *result, readme, lesson string) (wrong []string) {
	if got := r.of("TestExercise"); got != "fail" {
		return []string{fmt.Sprintf("got %s, want fail", got)}
	}
	if r.panicked != "" {
		wrong = append(wrong, "the test itself panics")
	}
	if !strings.Contains(r.output, fmt.Sprintf("README.md, %q", a.hint)) {
		wrong = append(wrong, fmt.Sprintf("the message does not name the hint %q", a.hint))
	}
	if !strings.Contains(readme, "<summary>"+a.hint+"</summary>") {
		wrong = append(wrong, fmt.Sprintf("README.md has no <summary>%s</summary>", a.hint))
	}
	if m := reread.FindStringSubmatch(r.output); m == nil || !strings.Contains(lesson, "\n## "+m[1]+"\n") {
		wrong = append(wrong, fmt.Sprintf("the message names no section of the lesson: %q", m))
	}
	if n := strings.Count(r.output, "\n"); n > maxScreen {
		wrong = append(wrong, fmt.Sprintf("the output must have at most %d lines, got %d", maxScreen, n))
	}
	return wrong
}
