// Package course is the guide through the lessons and their exercises, which
// go run . shows.
package course

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Course is the folder with go.mod. Its methods must not be called
// concurrently.
type Course struct {
	Root    string // the path of the folder
	Lessons []*Lesson
}

// A Lesson is a chapter and its exercise.
type Lesson struct {
	Folder          string // such as "03-client-stream"
	Title           string
	Minutes         int // to read and play
	TaskMinutes     int // for the tests and tasks
	ExerciseMinutes int // 0 if there is no exercise
}

var (
	chapter = regexp.MustCompile(`^0\d-[a-z-]+$`)
	title   = regexp.MustCompile(`(?m)^# (.+)$`)
	minutes = regexp.MustCompile(`(?m)^\*\*Minutes:\*\* (\d+)`)
	tasks   = regexp.MustCompile(`(?m)^\*\*Minutes:\*\* \d+ to read and play, (\d+) more with the tests`)
)

// Load reads the chapters below root.
func Load(root string) (*Course, error) {
	c := &Course{Root: root}
	dir := os.DirFS(root)
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || !chapter.MatchString(e.Name()) {
			continue
		}
		page, err := fs.ReadFile(dir, e.Name()+"/README.md")
		if err != nil {
			return nil, err
		}
		l := &Lesson{Folder: e.Name(), Title: e.Name()[3:], Minutes: number(minutes, page), TaskMinutes: number(tasks, page)}
		if m := title.FindSubmatch(page); m != nil {
			l.Title = strings.TrimPrefix(string(m[1]), e.Name()[:2]+" ")
		}
		page, err = fs.ReadFile(dir, l.Exercise()+"/README.md")
		switch {
		case err == nil:
			l.ExerciseMinutes = number(minutes, page)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		c.Lessons = append(c.Lessons, l)
	}
	if len(c.Lessons) == 0 {
		return nil, errors.New("there are no chapters here; run it in the folder of go.mod")
	}
	return c, nil
}

func number(re *regexp.Regexp, page []byte) int {
	m := re.FindSubmatch(page)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1])) // digits, by the pattern
	return n
}

// Exercise returns the folder of the exercise, with slashes.
func (l *Lesson) Exercise() string { return path.Join(l.Folder, "exercise") }

// File returns the file that a learner edits, with slashes.
func (l *Lesson) File() string { return path.Join(l.Exercise(), "exercise.go") }

// Number is the first word of the folder's name, such as "03".
func (l *Lesson) Number() string { return l.Folder[:2] }

// Find returns the lesson with an exercise whose number or folder is name:
// 3, 03 and 03-client-stream are the same.
func (c *Course) Find(name string) (*Lesson, error) {
	var names []string
	for _, l := range c.exercises() {
		if name == l.Folder || name == l.Number() || "0"+name == l.Number() {
			return l, nil
		}
		names = append(names, l.Number())
	}
	return nil, fmt.Errorf("there is no exercise %q; write one of %s", name, strings.Join(names, ", "))
}

// At returns the exercise that name says, or else the first that is not done,
// and its result.
func (c *Course) At(ctx context.Context, name ...string) (*Lesson, Result, error) {
	lessons := c.exercises()
	if len(name) > 0 {
		l, err := c.Find(name[0])
		if err != nil {
			return nil, Result{}, err
		}
		lessons = []*Lesson{l}
	}
	results, err := c.Grade(ctx, lessons...)
	if err != nil {
		return nil, Result{}, err
	}
	for i, r := range results {
		if r.State != Done {
			return lessons[i], r, nil
		}
	}
	if len(lessons) == 1 {
		return lessons[0], results[0], nil
	}
	return nil, Result{}, errors.New("all exercises are done")
}

// exercises returns the lessons that have one.
func (c *Course) exercises() []*Lesson {
	return slices.DeleteFunc(slices.Clone(c.Lessons), func(l *Lesson) bool { return l.ExerciseMinutes == 0 })
}
