package course

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long no Go file of a folder must change before a test runs
// again: editors write a file in several steps.
const quiet = 100 * time.Millisecond

// Watch grades an exercise, again whenever a Go file in its folder is saved,
// and writes the result to w, until ctx is canceled or the exercise is done. Then
// it returns nil.
func (c *Course) Watch(ctx context.Context, w io.Writer, l *Lesson, style Style) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	// The folder and not the file: an editor may replace the file.
	if err := watcher.Add(filepath.Join(c.Root, filepath.FromSlash(l.Exercise()))); err != nil {
		return err
	}
	for {
		if done, err := c.show(ctx, w, l, style); done || err != nil {
			return ignoreEnd(err)
		}
		if err := saved(ctx, watcher); err != nil {
			return ignoreEnd(err)
		}
	}
}

// ignoreEnd returns nil for a cancel: Ctrl-C is how a watch ends.
func ignoreEnd(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// show grades once, and reports whether the exercise is done.
func (c *Course) show(ctx context.Context, w io.Writer, l *Lesson, style Style) (done bool, err error) {
	if _, err := fmt.Fprintf(w, "%s%s\n\n", style.Clear, style.Bold(l.File())); err != nil {
		return false, err
	}
	results, err := c.Grade(ctx, l)
	if err != nil {
		return false, err
	}
	text := fmt.Sprintf("The exercise waits for you. Read %s/README.md, and edit the file.", l.Exercise())
	switch r := results[0]; r.State {
	case Waits:
	case Failing:
		text = fmt.Sprintf("%s\n\nA hint: go run . hint %s", r.Text, l.Number())
	case Done:
		_, err := fmt.Fprintf(w, "%s Compare yours with the solution: go run . solution %s\n", style.Green("Done."), l.Number())
		return true, err
	}
	_, err = fmt.Fprintf(w, "%s\n\nSave the file to run the test again. Ctrl-C ends.\n", text)
	return false, err
}

// saved waits until a Go file has changed, and the folder is quiet.
func saved(ctx context.Context, watcher *fsnotify.Watcher) error {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-watcher.Errors:
			return err
		case e := <-watcher.Events:
			if strings.HasSuffix(e.Name, ".go") && !e.Has(fsnotify.Chmod) {
				timer.Reset(quiet)
			}
		case <-timer.C:
			return nil
		}
	}
}
