package grader

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/streams/internal/grade"
)

// A command is what a machine does for a name.
type command = func(ctx context.Context, print func(string) error) error

// A machine runs the commands of one stream. Only run and ran may be called
// concurrently.
type machine struct {
	t *grade.T

	mu       sync.Mutex
	commands map[string]command
	running  string
	begun    []string
}

func newMachine(t *grade.T) *machine {
	return &machine{t: t, commands: map[string]command{}}
}

// add gives a command a random name.
func (m *machine) add(c command) (name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name == "" || m.commands[name] != nil {
		verb := []string{"list", "show", "check", "trace"}[m.t.Rand.IntN(4)]
		name = fmt.Sprintf("%s-%d", verb, m.t.Rand.IntN(1000))
	}
	m.commands[name] = c
	return name
}

// echo adds n commands that print their name, and returns their names and the
// outputs.
func (m *machine) echo(n int) (names, outputs []string) {
	for range n {
		var name string
		name = m.add(func(_ context.Context, print func(string) error) error { return print("this is " + name) })
		names, outputs = append(names, name), append(outputs, "this is "+name, "end with OK")
	}
	return names, outputs
}

// endless adds a command that needs a second to stop when it is canceled.
func (m *machine) endless() (name string) {
	return m.add(func(ctx context.Context, print func(string) error) error {
		if err := print("running"); err != nil {
			return err
		}
		<-ctx.Done()
		time.Sleep(time.Second)
		return ctx.Err()
	})
}

// slow adds a command that takes a minute if nothing cancels it.
func (m *machine) slow() (name string) {
	return m.add(func(ctx context.Context, print func(string) error) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Minute):
			return print("slow")
		}
	})
}

// ran returns the commands that have begun.
func (m *machine) ran() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.begun)
}

// run is a [Run]. A command does not begin if its context has ended: a server
// cannot know earlier than its context that the client is gone.
func (m *machine) run(ctx context.Context, name string, print func(string) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c := m.begin(name)
	defer m.end()
	return c(ctx, print)
}

func (m *machine) begin(name string) command {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != "" {
		m.t.Wrong("Attach, calling Run", fmt.Sprintf("Run of %q, before Run of %q has returned", name, m.running),
			"one command at a time")
	}
	if m.commands[name] == nil || slices.Contains(m.begun, name) {
		m.t.Wrong("Attach, calling Run", fmt.Sprintf("Run of %q", name), "each command that the client has sent, once")
	}
	m.running, m.begun = name, append(m.begun, name)
	return m.commands[name]
}

func (m *machine) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = ""
}
