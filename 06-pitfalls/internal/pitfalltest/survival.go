package pitfalltest

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/memserver/memservertest"
)

// Survival lists what fixed code must survive. Each field has a test or a
// reason: see [Survives] and [NotApplicable].
type Survival struct {
	InputIsClosed     Scenario // the channel or iterator that the code reads ends
	InputNeverEnds    Scenario // the input goes on; something else ends the call
	PeerEndsWithOK    Scenario // the other side ends the RPC first, without an error
	PeerEndsWithError Scenario
	PeerDoesNotRead   Scenario // flow control may stop Send
	PeerDoesNotSend   Scenario // Recv waits
	DeadlinePasses    Scenario // before or during the call
	ConnectionIsCut   Scenario
	ServerIsAway      Scenario // nobody listens when the call begins
	ManyInARow        Scenario // a hundred calls, one after the other
	ManyAtOnce        Scenario // a hundred calls, concurrently
}

// A Scenario is one field of [Survival].
type Scenario struct {
	run    func(*testing.T, context.Context)
	reason string
}

// Survives returns a scenario that f tests. f runs in a bubble. Its context
// does not end while f runs, like that of a process that runs for years. One
// second after f has returned, nothing may be left: no context that was derived
// from this one, and no goroutine of the pitfall, on either side.
func Survives(f func(*testing.T, context.Context)) Scenario { return Scenario{run: f} }

// NotApplicable returns a scenario that cannot occur. reason says why.
func NotApplicable(reason string) Scenario { return Scenario{reason: reason} }

// Run runs the scenarios that have a test, each as a subtest with the name of
// its field.
func (s Survival) Run(t *testing.T) {
	fields := reflect.ValueOf(s)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		scenario := fields.Field(i).Interface().(Scenario)
		switch {
		case scenario.run != nil:
			t.Run(name, func(t *testing.T) { synctest.Test(t, scenario.test) })
		case scenario.reason == "":
			t.Errorf("%s: must have a test, or a reason why it does not apply", name)
		}
	}
}

// grace is how long goroutines have to end after a scenario, such as those
// of a handler that sleeps between two messages.
const grace = time.Second

func (s Scenario) test(t *testing.T) {
	ctx := &forever{Context: context.Background(), done: make(chan struct{})}
	t.Cleanup(func() { close(ctx.done) })
	s.run(t, ctx)
	time.Sleep(grace)
	synctest.Wait()
	require.Zero(t, ctx.children.Load(), "contexts that were derived from the caller's context and not canceled")
	require.Empty(t, codeThatRuns(), "goroutines of the code that have not ended")
}

// codeThatRuns returns the stacks of the goroutines that run code of the
// pitfalls.
func codeThatRuns() (stacks []string) {
	for _, stack := range memservertest.Goroutines() {
		calls, _, _ := strings.Cut(stack, "\ncreated by ")
		if strings.Contains(calls, "example.com/streams/06-pitfalls/") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// forever is a context that ends with its test. It counts the contexts that
// are derived from it directly and have not ended.
type forever struct {
	context.Context
	done     chan struct{}
	children atomic.Int64
}

// Done implements [context.Context].
func (f *forever) Done() <-chan struct{} { return f.done }

// AfterFunc is how package context adds a child to a context that is not
// its own, and how it removes the child that is canceled.
func (f *forever) AfterFunc(func()) (stop func() bool) {
	f.children.Add(1)
	var stopped atomic.Bool
	return func() bool {
		if !stopped.Swap(true) {
			f.children.Add(-1)
		}
		return true
	}
}
