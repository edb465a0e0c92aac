package grade

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// graded runs checks as [Exercise.Run] does, and returns what they found.
func graded(t *testing.T, runs ...func(*T)) (passed int, wrong *failure) {
	t.Helper()
	var e Exercise
	for _, run := range runs {
		e.Checks = append(e.Checks, Check{Run: run})
	}
	if os.Getenv(childVar) == t.Name() {
		realLimit = 2 * time.Second
		e.runChild(t)
		os.Exit(0) //nolint:revive // this is the child process
	}
	return e.grade(t, 0, 4711)
}

func nothing(*T) {}

func TestGrade_AllChecksPass(t *testing.T) {
	passed, wrong := graded(t, nothing, nothing)
	require.Equal(t, 2, passed)
	require.Nil(t, wrong)
}

func TestGrade_StopsAtTheFirstFailure(t *testing.T) {
	passed, wrong := graded(t, nothing, func(g *T) { g.Equal("Sum", 3, 4) }, nothing)
	require.Equal(t, 1, passed)
	require.Equal(t, &failure{Check: 1, Call: "Sum", Got: "4", Want: "3"}, wrong)
}

// The race detector fails a check after its last line.
func TestGrade_LateFailureIsOfItsCheck(t *testing.T) {
	passed, wrong := graded(t, nothing, func(g *T) { g.Fail() }, nothing)
	require.Equal(t, 1, passed)
	require.Equal(t, 1, wrong.Check)
}

func TestWrongFor_HasItsOwnHint(t *testing.T) {
	_, wrong := graded(t, func(g *T) { g.WrongFor("X is called twice", "Sum", 3, 4) })
	require.Equal(t, &failure{Call: "Sum", Got: "3", Want: "4", Hint: "X is called twice"}, wrong)
}

func TestCode_NamesBothCodes(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		got  string
		want codes.Code
	}{
		"another code": {status.Error(codes.NotFound, "no log"), "NotFound: no log", codes.OK},
		"no status":    {errors.New("EOF"), "EOF, which is not a status", codes.OK},
		"no error":     {nil, "OK", codes.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, wrong := graded(t, func(g *T) { g.Code("Get", tt.want, tt.err) })
			require.Equal(t, &failure{Call: "Get", Got: tt.got, Want: tt.want.String()}, wrong)
		})
	}
}

func TestGrade_SameSeedDrawsTheSameInputs(t *testing.T) {
	_, first := graded(t, func(g *T) { g.Wrong("Get", g.Rand.Uint64(), 0) })
	_, second := graded(t, func(g *T) { g.Wrong("Get", g.Rand.Uint64(), 0) })
	require.Equal(t, first, second)
}

// The stacks of this test name its own file, which is no exercise.go, so the
// messages name no line.
func TestGrade_PanicIsAMessage(t *testing.T) {
	_, wrong := graded(t, func(*T) {
		var none *failure
		none.Got = ""
	})
	require.Equal(t, hintPanic, wrong.Hint)
	require.Contains(t, wrong.Got, "panic: runtime error: invalid memory address")
}

func TestGrade_DeadlockIsAMessage(t *testing.T) {
	_, wrong := graded(t, func(*T) { <-make(chan int) })
	require.Equal(t, hintLeft, wrong.Hint)
	require.Contains(t, wrong.Call, "an hour after the context of all calls ended")
}

// The virtual clock stands still in both cases.
func TestGrade_EndlessCodeIsAMessage(t *testing.T) {
	for name, run := range map[string]func(*T){
		"a mutex": func(*T) {
			var mu sync.Mutex
			mu.Lock()
			mu.Lock()
		},
		"a loop": func(g *T) {
			for g.Context() != nil {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, wrong := graded(t, run)
			require.Equal(t, hintStuck, wrong.Hint)
			require.Contains(t, wrong.Got, "the virtual clock stands still")
		})
	}
}

func TestRun_OnlyStrictFailsAnExerciseThatWaits(t *testing.T) {
	if os.Getenv("EXERCISE_WAITS") != "" { // in the process below
		Exercise{Name: "03-x"}.Run(t)
		return
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("grader", 0o755))
	for _, file := range []string{"exercise.go", "grader/stub.go.txt"} {
		require.NoError(t, os.WriteFile(file, []byte("package exercise\n"), 0o600))
	}
	executable, err := os.Executable()
	require.NoError(t, err)
	for strict, want := range map[string]string{"0": "--- SKIP", "1": "--- FAIL"} {
		cmd := exec.CommandContext(t.Context(), executable, "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "EXERCISE_WAITS=1", "STRICT="+strict)
		out, _ := cmd.CombinedOutput() // exit status 1 if strict
		require.Contains(t, string(out), want)
		require.Contains(t, string(out), "this exercise waits for you: open 03-x/exercise/README.md and edit 03-x/exercise/exercise.go")
	}
}

func TestLeft_NamesTheLineAndTheWait(t *testing.T) {
	require.Equal(t, "a goroutine is left at exercise.go:42, waiting in: chan send",
		left([]string{
			"goroutine 7 [chan send (durable), synctest bubble 1]:\nexample.com/x.F()\n\t/x/03-x/exercise/exercise.go:42 +0x1",
			"goroutine 8 [chan send (durable), synctest bubble 1]:\nexample.com/x.F()\n\t/x/03-x/exercise/exercise.go:42 +0x1",
			"goroutine 9 [select (durable)]:\nexample.com/x.G()\n\t/x/03-x/exercise/grader/grader.go:1 +0x1",
		}))
	require.Equal(t, "a goroutine runs at exercise.go:42, perhaps in a loop",
		left([]string{
			"goroutine 7 [runnable, synctest bubble 1]:\nexample.com/x.F()\n\t/x/03-x/exercise/exercise.go:42 +0x1",
		}))
}

func TestCrash_NamesTheDataRace(t *testing.T) {
	f := crash(2, "==================\nWARNING: DATA RACE\nWrite at 0x1 by goroutine 8:\n  x.F()\n"+
		"      /x/exercise/exercise.go:10 +0x1\n\nPrevious write\n==================\n")
	require.Equal(t, failure{
		Check: 2, Call: "your code", Got: "a data race at exercise.go:10",
		Want: "no two goroutines at the same variable, of which one writes", Hint: hintRace,
	}, *f)
}

func TestCrash_NamesTheLineOfAPanic(t *testing.T) {
	f := crash(2, "panic: assignment to entry in nil map\n\ngoroutine 8 [running, synctest bubble 1]:\n"+
		"example.com/x.F()\n\t/x/03-x/exercise/exercise.go:12 +0x1\n")
	require.Equal(t, failure{
		Check: 2, Call: "your code", Got: "panic: assignment to entry in nil map at exercise.go:12",
		Want: "no panic", Hint: hintPanic,
	}, *f)
}

func TestHints_AreInEachExercise(t *testing.T) {
	pages, err := filepath.Glob("../../0*/exercise/README.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, hint := range []string{hintLeft, hintStuck, hintPanic, hintRace} {
			require.Contains(t, string(text), "<summary>"+hint+"</summary>", page)
		}
	}
}

func TestDescribe_FitsOnAScreen(t *testing.T) {
	e := Exercise{Name: "03-x", Checks: []Check{{Says: "X does y.", Reread: "X", Hint: "X does z"}}}
	text := e.describe(&failure{Call: "X", Got: strings.Repeat("long ", 1000) + strings.Repeat("\nx", 100), Want: "y"}, 7)
	require.Less(t, strings.Count(text, "\n"), 20)
	require.Contains(t, text, `Read again: 03-x/README.md, "X"`)
	require.Contains(t, text, `Hint:       03-x/exercise/README.md, "X does z"`)
	require.Contains(t, text, "set SEED=7")
}

func TestContext_EndsAfterAnHour(t *testing.T) {
	_, wrong := graded(t, func(g *T) {
		start := time.Now()
		<-g.Context().Done()
		g.Equal("Context", time.Hour, time.Since(start))
		g.Equal("Context", context.DeadlineExceeded, g.Context().Err())
	})
	require.Nil(t, wrong)
}
