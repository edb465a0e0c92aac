package docscheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// steps splits the body of a console fence: each command begins a step, and
// its output follows.
func steps(f *fence) (all [][]string) {
	for i, line := range f.body {
		if i == 0 || strings.HasPrefix(line, "$ ") {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], line)
	}
	return all
}

// consoleArgs leaves out </dev/null, as the commands get no input anyway.
func consoleArgs(line string) ([]string, error) {
	args, err := fields(strings.TrimSuffix(strings.TrimPrefix(line, "$ "), " </dev/null"))
	if !strings.HasPrefix(line, "$ go ") || !isGoCommand(args) {
		err = errors.New("a console fence can show only $ go run ... and $ go test ..., each with its output below")
	}
	return args, err
}

func (r *repository) checkConsole(p *page, f *fence) {
	line := f.line + 1
	for _, step := range steps(f) {
		args, err := consoleArgs(step[0])
		if err == nil {
			err = r.checkCommand(args)
		}
		if printed := r.printed[step[0]]; err == nil && printed != nil {
			_, err = printed()
		}
		if err != nil {
			p.problem(line, "%s: %v", step[0], err)
		}
		line += len(step)
	}
}

// withOutput returns the body of a console fence with what its commands
// print.
func (r *repository) withOutput(f *fence) (body []string) {
	for _, step := range steps(f) {
		body = append(body, step[0])
		shown := step[1:]
		if printed := r.printed[step[0]]; printed != nil {
			if lines, err := printed(); err == nil && !matches(shown, lines) {
				shown = lines
			}
		}
		body = append(body, shown...)
	}
	return body
}

// matches compares lines of a page with those that a command printed. A
// line ... of the page stands for any number of lines.
func matches(page, printed []string) bool {
	pattern := regexp.QuoteMeta("\n" + strings.Join(page, "\n") + "\n")
	pattern = strings.ReplaceAll(pattern, "\n"+`\.\.\.`+"\n", `\n(?:.*\n)*`)
	return regexp.MustCompile("^" + pattern + "$").MatchString("\n" + strings.Join(printed, "\n") + "\n")
}

// runConsoles runs the commands whose output a page shows, two at a time.
func (r *repository) runConsoles(limit time.Duration) {
	for _, p := range r.pages {
		for _, f := range p.fences {
			for _, step := range steps(f) {
				if args, err := consoleArgs(step[0]); f.kind == "console" && err == nil && len(step) > 1 {
					r.printed[step[0]] = sync.OnceValues(func() ([]string, error) { return run(r.root, limit, args) })
				}
			}
		}
	}
	var group errgroup.Group
	group.SetLimit(2)
	for _, printed := range r.printed {
		group.Go(func() error { _, _ = printed(); return nil })
	}
	_ = group.Wait()
}

// run runs a go command in root. The lines are those of its standard output
// and its standard error, in the order in which it wrote them, without blanks
// at their ends.
func run(root string, limit time.Duration, args []string) (lines []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "UPDATE=") // go test of a page updates nothing
	cmd.WaitDelay = time.Second
	out, _ := cmd.CombinedOutput() // go run prints the exit status
	if ctx.Err() != nil {
		return nil, fmt.Errorf("it still runs after %s; show a command that ends", limit)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, strings.TrimRight(line, " \t\r\n"))
		}
	}
	return lines, nil
}
