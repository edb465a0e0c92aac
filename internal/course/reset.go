package course

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// untouched reports whether the exercise's file is the stub.
func (c *Course) untouched(l *Lesson) (bool, error) {
	code, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(l.File())))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	stub, err := c.stub(l)
	return string(code) == string(stub), err
}

func (c *Course) stub(l *Lesson) ([]byte, error) {
	return os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(l.Exercise()), "grader", "stub.go.txt"))
}

// Reset replaces the exercise's file by the stub. What was in the file is
// kept beside it, under the returned name with slashes. The name is "" if the
// file did not exist.
func (c *Course) Reset(l *Lesson) (kept string, err error) {
	stub, err := c.stub(l)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if kept, err = keep(root, l.File()); err != nil {
		return "", err
	}
	// The file is written under another name first, so it is never half there.
	if err := root.WriteFile(l.File()+".new", stub, 0o644); err != nil {
		return kept, err
	}
	return kept, root.Rename(l.File()+".new", l.File())
}

// keep copies a file to a name that is not in use, and returns the name.
func keep(root *os.Root, file string) (name string, err error) {
	code, err := root.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		name = fmt.Sprintf("%s.old%d", file, n)
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(code)
		return name, errors.Join(err, f.Close())
	}
}

// Solution returns the solution of an exercise, after an attempt.
func (c *Course) Solution(l *Lesson) (string, error) {
	untouched, err := c.untouched(l)
	if err != nil {
		return "", err
	}
	if untouched {
		return "", fmt.Errorf("try first: edit %s, and run go test ./%s", l.File(), l.Exercise())
	}
	code, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(l.Exercise()), "solution", "solution.go"))
	return string(code), err
}
