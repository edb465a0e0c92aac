package grade

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/memserver/memservertest"
)

// virtualLimit is how long the context of a check lasts, and how long the check
// may go on after that.
const virtualLimit = time.Hour

// realLimit is how long a check may take in real time. A mutex that is held, or
// an endless loop, stops the virtual clock.
var realLimit = 20 * time.Second

// A T runs a check in a bubble. The first of its methods that finds something
// wrong ends the process. Its methods may be called concurrently.
type T struct {
	testing.TB
	Rand *rand.Rand // draws the inputs; not to be used concurrently

	check int
	ctx   context.Context
}

// runChild runs the checks in the process that [Exercise.grade] starts.
func (e Exercise) runChild(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv(fromVar))              // written by grade
	seed, _ := strconv.ParseUint(os.Getenv(seedVar), 10, 64) // written by grade
	for i, c := range e.Checks[from:] {
		g := &T{check: from + i, Rand: rand.New(rand.NewPCG(seed, uint64(from+i)))}
		watchdog := time.AfterFunc(realLimit, func() {
			g.fail(failure{
				Call: "your code", Got: "no return, and the virtual clock stands still\n" + left(stacks()),
				Want: "a return", Hint: hintStuck,
			})
		})
		synctest.Test(t, g.run(c)) // ends this test if it fails, such as for a data race
		watchdog.Stop()
		g.print(failure{Check: g.check})
	}
}

// run returns the body of the bubble.
func (g *T) run(c Check) func(*testing.T) {
	return func(t *testing.T) {
		g.TB = t
		ctx, cancel := context.WithTimeout(t.Context(), virtualLimit)
		g.ctx = ctx
		limit := time.AfterFunc(2*virtualLimit, func() {
			g.fail(failure{
				Call: "your code, an hour after the context of all calls ended",
				Got:  "no return\n" + left(memservertest.Goroutines()), Want: "a return", Hint: hintLeft,
			})
		})
		c.Run(g)
		cancel()
		time.Sleep(time.Minute) // what was told to end may take its time
		if text := left(memservertest.Goroutines()); text != "" {
			g.fail(failure{
				Call: "your code, a minute after its context ended", Got: text,
				Want: "every goroutine ends when its context ends", Hint: hintLeft,
			})
		}
		limit.Stop()
	}
}

func stacks() []string {
	buf := make([]byte, 1<<20)
	return strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
}

func (g *T) print(f failure) {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	fmt.Printf("\n%s%s\n", marker, text)
}

// Context returns the context of the check, which ends an hour after its
// begin.
func (g *T) Context() context.Context { return g.ctx }

// Wrong ends the check, because call returned got and not want.
func (g *T) Wrong(call string, got, want any) {
	g.fail(failure{Call: call, Got: fmt.Sprint(got), Want: fmt.Sprint(want)})
}

// WrongFor is [T.Wrong] with another hint than that of the check.
func (g *T) WrongFor(hint, call string, got, want any) {
	g.fail(failure{Call: call, Got: fmt.Sprint(got), Want: fmt.Sprint(want), Hint: hint})
}

func (g *T) fail(f failure) {
	f.Check = g.check
	g.print(f)
	os.Exit(1) //nolint:revive // the learner's goroutines may never end
}

// Equal requires that call returned want.
func (g *T) Equal(call string, want, got any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		g.Wrong(call, got, want)
	}
}

// Code requires that call returned an error with the status code want; the
// code of nil is OK. An error that is not a status has no code.
func (g *T) Code(call string, want codes.Code, err error) {
	s, ok := status.FromError(err)
	switch {
	case !ok:
		g.Wrong(call, fmt.Sprintf("%v, which is not a status", err), want)
	case err != nil && s.Code() != want:
		g.Wrong(call, fmt.Sprintf("%v: %s", s.Code(), s.Message()), want)
	case s.Code() != want:
		g.Wrong(call, s.Code(), want)
	}
}

// Errorf ends the check. The helpers of package memservertest call it.
func (g *T) Errorf(format string, args ...any) {
	g.Wrong("your code", fmt.Sprintf(format, args...), "both sides end")
}

// Fatalf ends the check as [T.Errorf] does.
func (g *T) Fatalf(format string, args ...any) { g.Errorf(format, args...) }

// Serve serves what register adds, and returns a connection to it. Both end
// with the check.
func (g *T) Serve(register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	return memservertest.Dial(g, register)
}
