package grade

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// learned is a line of a stack in the learner's file.
	learned = regexp.MustCompile(`/((?:exercise|solution)\.go:\d+)`)
	// header is "goroutine 7 [chan receive (durable), synctest bubble 2]:".
	header   = regexp.MustCompile(`(?m)^goroutine \d+ .*\[([^,\]]+?)(?: \(durable\))?[,\]]`)
	panicked = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.*)`)
)

// crash says why the process of a check ended, from what it printed.
func crash(check int, trace string) *failure {
	f := &failure{Check: check, Call: "your code", Want: "no panic", Hint: hintPanic}
	m := panicked.FindStringSubmatch(trace)
	switch {
	case strings.Contains(trace, "WARNING: DATA RACE"):
		f.Hint = hintRace
		f.Got, f.Want = "a data race"+at(race(trace)), "no two goroutines at the same variable, of which one writes"
	case m == nil:
		f.Got, f.Want = "the process ended: "+trace, "a return"
	case strings.Contains(m[1], "deadlock"):
		f.Hint = hintLeft
		f.Got, f.Want = left(strings.Split(trace, "\n\n")), "every goroutine ends when its context ends"
	default:
		f.Got = "panic: " + m[1] + at(strings.Split(trace, "\n\n"))
	}
	return f
}

// race returns the stacks of a report of the race detector.
func race(trace string) []string {
	_, report, _ := strings.Cut(trace, "WARNING: DATA RACE")
	report, _, _ = strings.Cut(report, "==================")
	return strings.Split(report, "\n\n")
}

// at returns where the first of the stacks that is in the learner's file is.
func at(stacks []string) string {
	for _, stack := range stacks {
		if m := learned.FindStringSubmatch(stack); m != nil {
			return " at " + m[1]
		}
	}
	return ""
}

// left describes the goroutines, given by their stacks, that run code of the
// learner's file. It returns "" if there are none.
func left(stacks []string) string {
	var lines []string
	for _, stack := range stacks {
		h, m := header.FindStringSubmatch(stack), learned.FindStringSubmatch(stack)
		if h == nil || m == nil {
			continue
		}
		line := "a goroutine is left at " + m[1] + ", waiting in: " + h[1]
		if h[1] == "runnable" || h[1] == "running" {
			line = "a goroutine still runs at " + m[1]
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
