package course

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Ready downloads the modules, and builds the commands and tests, of the root
// module and of those of the chapters, so that they need no download afterward.
// It writes each step to w.
func (c *Course) Ready(ctx context.Context, w io.Writer) error {
	nested, err := c.nested()
	if err != nil {
		return err
	}
	for _, module := range append([]string{"."}, nested...) {
		for _, step := range []struct {
			does string
			env  []string
			args []string
		}{
			{"downloading the modules", nil, []string{"mod", "download"}},
			{"building the commands", nil, []string{"build", "./..."}},
			// The pattern matches no test. Downloads are off, to see that none is needed.
			{"building the tests, without a network", []string{"GOPROXY=off"}, []string{"test", "-run=^$", "./..."}},
		} {
			start := time.Now()
			args := step.args
			if module != "." {
				args = append([]string{"-C", module}, args...)
			}
			if _, err := fmt.Fprintf(w, "%s: go %s\n", step.does, strings.Join(args, " ")); err != nil {
				return err
			}
			cmd := exec.CommandContext(ctx, "go", args...)
			cmd.Dir, cmd.Env = c.Root, append(os.Environ(), step.env...)
			out, err := cmd.CombinedOutput()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", step.does, err, trim(string(out)))
			}
			if _, err := fmt.Fprintf(w, "    %v\n", time.Since(start).Round(time.Second)); err != nil {
				return err
			}
		}
	}
	_, err = fmt.Fprintln(w, "\nReady: this machine has all that the course needs, and works without a network.")
	return err
}

// nested returns the folders, with slashes, of the chapters' own modules.
func (c *Course) nested() (folders []string, err error) {
	for _, pattern := range []string{"0*/*/go.mod", "0*/*/*/go.mod"} {
		files, err := filepath.Glob(filepath.Join(c.Root, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			folder, err := filepath.Rel(c.Root, filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			folders = append(folders, filepath.ToSlash(folder))
		}
	}
	return folders, nil
}
