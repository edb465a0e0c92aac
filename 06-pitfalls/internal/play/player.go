package play

import (
	"context"
	"fmt"
	"time"

	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

// grace is how long a call may take to end once it is cancelled, and a
// question to the server to be answered.
const grace = 500 * time.Millisecond

// A Player plays pitfalls and says what happened.
type Player struct {
	Target   *client.Target
	Patience time.Duration // how long each side may take, > 0
	Say      func(line string)
}

// Show plays the broken code of p, then the fixed code. The error is that
// of ctx or of the connection, not of the code that is shown.
func (p *Player) Show(ctx context.Context, pitfall Pitfall) error {
	p.Say(fmt.Sprintf("%s: %s\n", pitfall.Name, pitfall.Symptom))
	if pitfall.Patience > p.Patience {
		p.Say(fmt.Sprintf("be patient: each side takes up to %v", pitfall.Patience))
		p = &Player{Target: p.Target, Patience: pitfall.Patience, Say: p.Say}
	}
	if err := p.show(ctx, broken, pitfall.Name, &pitfall.Broken); err != nil {
		return err
	}
	if err := p.show(ctx, fixed, pitfall.Name, &pitfall.Fixed); err != nil {
		return err
	}
	p.Say("\nfix: " + pitfall.Fix)
	return nil
}

func (p *Player) show(ctx context.Context, which, name string, side *Side) error {
	stage, err := p.enter(ctx, which, name, side)
	if err != nil {
		return err
	}
	defer stage.leave()
	start := time.Now()
	say := func(what string) {
		elapsed := time.Since(start).Round(time.Millisecond)
		p.Say(fmt.Sprintf("%-6s %6v  %s", which, elapsed, what))
	}
	if side.alone() && p.Target.Addr != "" {
		say("needs a server of its own; -addr is not used")
	}
	p.run(ctx, side.Run, stage, say)
	if n := stage.openStreams(ctx, start.Add(p.Patience)); n > 0 {
		say(fmt.Sprintf("handlers that have not returned: %d", n))
	}
	return ctx.Err()
}

// run runs one side: for as long as patience lasts, then cancelled.
func (p *Player) run(ctx context.Context, run Run, stage *Stage, say func(string)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan string, 1)
	go func() { ended <- outcome(run(ctx, stage)) }()
	select {
	case <-ctx.Done():
		return
	case what := <-ended:
		say(what)
		return
	case <-time.After(p.Patience):
		say("still runs; cancelling it")
	}
	cancel()
	select {
	case what := <-ended:
		say(what)
	case <-time.After(grace):
		say("still runs; not even the cancel ends it")
	}
}

func outcome(result any, err error) string {
	switch {
	case err == nil && result == nil:
		return "ended without an error"
	case err == nil:
		return fmt.Sprint(result)
	case result == nil:
		return command.Describe(err)
	default:
		return fmt.Sprintf("%v; %s", result, command.Describe(err))
	}
}
