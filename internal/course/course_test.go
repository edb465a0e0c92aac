package course

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	stubCode  = "package exercise\n\nfunc Sum(a, b int) int { return 0 }\n"
	wrongCode = "package exercise\n\nfunc Sum(a, b int) int { return a - b }\n"
	rightCode = "package exercise\n\nfunc Sum(a, b int) int { return a + b }\n"
)

// files are a course of two lessons. The grader is as simple as it can be.
var files = map[string]string{
	"go.mod":             "module demo\n\ngo 1.26\n",
	"01-read/README.md":  "# 01 Read: a lesson\n\n**Minutes:** 10 to read and play, 5 more with the tests.<br>\n",
	"02-write/README.md": "# 02 Write: a lesson with an exercise\n\n**Minutes:** 20 to read.<br>\n",
	"02-write/exercise/README.md": "# Exercise\n\n**Minutes:** 15.\n\n" +
		"<details>\n<summary>Sum panics</summary>\n\nLook.\n\n</details>\n\n" +
		"<details>\n<summary>The sum is wrong</summary>\n\nAdd.\n\nDo not subtract.\n\n</details>\n",
	"02-write/exercise/exercise.go":          stubCode,
	"02-write/exercise/grader/stub.go.txt":   stubCode,
	"02-write/exercise/solution/solution.go": "package solution\n",
	"02-write/exercise/exercise_test.go": `package exercise

import (
	"os"
	"testing"
)

func TestExercise(t *testing.T) {
	code, _ := os.ReadFile("exercise.go")
	if stub, _ := os.ReadFile("grader/stub.go.txt"); string(code) == string(stub) {
		t.Skip("waits")
	}
	if got := Sum(1, 2); got != 3 {
		t.Fatalf("got: %d\nHint: 02-write/exercise/README.md, %q", got, "The sum is wrong")
	}
}
`,
}

// load writes the course, with code as the exercise's file.
func load(t *testing.T, code string) (*Course, *Lesson) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	c, err := Load(dir)
	require.NoError(t, err)
	l, err := c.Find("2")
	require.NoError(t, err)
	save(t, c, l, code)
	return c, l
}

func save(t *testing.T, c *Course, l *Lesson, code string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(c.Root, filepath.FromSlash(l.File())), []byte(code), 0o600))
}

func TestLoad_ReadsTitlesAndMinutes(t *testing.T) {
	c, _ := load(t, stubCode)
	require.Equal(t, []*Lesson{
		{Folder: "01-read", Title: "Read: a lesson", Minutes: 10, TaskMinutes: 5},
		{Folder: "02-write", Title: "Write: a lesson with an exercise", Minutes: 20, ExerciseMinutes: 15},
	}, c.Lessons)
}

func TestLoad_OtherFolderIsAnError(t *testing.T) {
	_, err := Load(t.TempDir())
	require.EqualError(t, err, "there are no chapters here; run it in the folder of go.mod")
}

func TestFind_NamesWhatThereIs(t *testing.T) {
	c, want := load(t, stubCode)
	for _, name := range []string{"2", "02", "02-write"} {
		l, err := c.Find(name)
		require.NoError(t, err)
		require.Same(t, want, l)
	}
	for _, name := range []string{"1", "", "7", "../02-write"} {
		_, err := c.Find(name)
		require.ErrorContains(t, err, "write one of 02")
	}
}

func TestGrade_TellsTheState(t *testing.T) {
	for name, tt := range map[string]struct {
		code string
		want Result
	}{
		"stub":  {stubCode, Result{Waits, "waits"}},
		"right": {rightCode, Result{Done, ""}},
		"wrong": {wrongCode, Result{Failing, "got: -1\nHint: 02-write/exercise/README.md, \"The sum is wrong\""}},
		"no Go": {"package exercise\n\nfunc Sum(\n", Result{
			Failing,
			"02-write/exercise/exercise.go:4:1: syntax error: unexpected EOF, expected )",
		}},
		"init": {rightCode + "\nfunc init() { panic(\"x\") }\n", Result{Failing, "panic: x\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, l := load(t, tt.code)
			results, err := c.Grade(t.Context(), l)
			require.NoError(t, err)
			require.Equal(t, tt.want.State, results[0].State)
			require.Contains(t, results[0].Text, tt.want.Text)
			require.NotContains(t, results[0].Text, "---")
			require.NotContains(t, results[0].Text, "FAIL")
		})
	}
}

func TestStatus_NamesTheNextCommand(t *testing.T) {
	for name, tt := range map[string]struct {
		code  string
		wants []string
	}{
		"stub":  {stubCode, []string{"10 + 5 + 0  read", "20 + 0 + 15  next", "Minutes left: 50.", "go run . watch 02"}},
		"wrong": {wrongCode, []string{"20 + 0 + 15  failing", "Minutes left: 50.", "go run . watch 02"}},
		"right": {rightCode, []string{"20 + 0 + 15  done", "Minutes left: 15.", "All exercises are done."}},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := load(t, tt.code)
			out, err := c.Status(t.Context(), Style{})
			require.NoError(t, err)
			for _, want := range tt.wants {
				require.Contains(t, out, want)
			}
			require.NotContains(t, out, "\x1b")
		})
	}
}

func TestRoom_HasALineForEachClone(t *testing.T) {
	done, _ := load(t, rightCode)
	failing, _ := load(t, wrongCode)
	waiting, _ := load(t, stubCode)
	empty := t.TempDir()
	out, err := Room(t.Context(), []string{done.Root, failing.Root, waiting.Root, empty}, Style{})
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 4)
	for i, want := range []string{"  02 done", "  02 failing", "  02 waits", "there are no chapters here"} {
		require.Contains(t, lines[i], want)
	}
}

func TestHint_BelongsToTheFailure(t *testing.T) {
	for code, want := range map[string]string{
		stubCode:             "Begin with the task in 02-write/exercise/README.md",
		wrongCode:            "The sum is wrong\n\nAdd.\n\nDo not subtract.",
		"package exercise\n": "The test cannot run:\n\nundefined: Sum",
		rightCode:            "is done",
	} {
		c, l := load(t, code)
		results, err := c.Grade(t.Context(), l)
		require.NoError(t, err)
		hint, err := c.Hint(l, results[0])
		require.NoError(t, err)
		require.Contains(t, hint, want)
	}
}

func TestReset_KeepsTheCode(t *testing.T) {
	c, l := load(t, wrongCode)
	for _, want := range []string{"exercise.go.old1", "exercise.go.old2"} {
		save(t, c, l, wrongCode)
		kept, err := c.Reset(l)
		require.NoError(t, err)
		require.Equal(t, "02-write/exercise/"+want, kept)
		code, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(kept)))
		require.NoError(t, err)
		require.Equal(t, wrongCode, string(code))
		untouched, err := c.untouched(l)
		require.NoError(t, err)
		require.True(t, untouched)
	}
}

func TestReset_RestoresALostFile(t *testing.T) {
	c, l := load(t, wrongCode)
	require.NoError(t, os.Remove(filepath.Join(c.Root, filepath.FromSlash(l.File()))))
	kept, err := c.Reset(l)
	require.NoError(t, err)
	require.Empty(t, kept)
	untouched, err := c.untouched(l)
	require.NoError(t, err)
	require.True(t, untouched)
}

func TestSolution_ComesAfterAnAttempt(t *testing.T) {
	c, l := load(t, stubCode)
	_, err := c.Solution(l)
	require.EqualError(t, err, "try first: edit 02-write/exercise/exercise.go, and run go test ./02-write/exercise")
	save(t, c, l, wrongCode)
	code, err := c.Solution(l)
	require.NoError(t, err)
	require.Equal(t, "package solution\n", code)
}

func TestWatch_GradesAgainWhenSaved(t *testing.T) {
	c, l := load(t, stubCode)
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.Watch(t.Context(), w, l, Style{})
		ended <- err
		_ = w.CloseWithError(err) // a pipe does not fail to close
	}()
	var out bytes.Buffer
	require.Contains(t, readUntil(t, r, &out, "Ctrl-C ends."), "waits for you")
	save(t, c, l, wrongCode)
	require.Contains(t, readUntil(t, r, &out, "Ctrl-C ends."), "go run . hint 02")
	save(t, c, l, rightCode)
	require.Contains(t, readUntil(t, r, &out, "solution 02"), "Done.")
	require.NoError(t, <-ended)
}

func TestWatch_EndsWithItsContext(t *testing.T) {
	c, l := load(t, stubCode)
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Watch(ctx, w, l, Style{}) }()
	readUntil(t, r, new(bytes.Buffer), "Ctrl-C ends.\n")
	cancel()
	require.NoError(t, <-ended)
}

// readUntil reads r until out holds the text, and returns and empties out.
func readUntil(t *testing.T, r io.Reader, out *bytes.Buffer, text string) string {
	t.Helper()
	buf := make([]byte, 4096)
	for !strings.Contains(out.String(), text) {
		n, err := r.Read(buf)
		require.NoError(t, err, "after %q", out)
		out.Write(buf[:n])
	}
	defer out.Reset()
	return out.String()
}

func TestReady_BuildsEachModule(t *testing.T) {
	c, _ := load(t, rightCode)
	nested := filepath.Join(c.Root, "02-write", "more")
	require.NoError(t, os.Mkdir(nested, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(nested, "go.mod"), []byte("module demo/more\n\ngo 1.26\n"), 0o600))
	code := filepath.Join(nested, "more.go")
	require.NoError(t, os.WriteFile(code, []byte("package more\n"), 0o600))
	var out bytes.Buffer
	require.NoError(t, c.Ready(t.Context(), &out))
	require.Contains(t, out.String(), "go test -run=^$ ./...\n")
	require.Contains(t, out.String(), "go -C 02-write/more test -run=^$ ./...\n")
	require.Contains(t, out.String(), "Ready: ")

	require.NoError(t, os.WriteFile(code, []byte("package more\n\nvar x int = y\n"), 0o600))
	require.ErrorContains(t, c.Ready(t.Context(), io.Discard), "undefined: y")
}

func TestStyle_NoColorWithoutATerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, Style{}, StyleOf(f))
	require.Equal(t, "x", Style{}.Bold("x"))
	require.Equal(t, "\x1b[32mx\x1b[0m", Style{ok: "\x1b[32m"}.Green("x"))
}
