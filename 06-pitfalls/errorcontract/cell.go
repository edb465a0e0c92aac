package errorcontract

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// cell is what a call returned after the RPC has ended, and what it returned
// over TCP if that differs. With " says" behind it, it is the message of the
// error.
func cell(t *testing.T, types []rpcType, term termination, column string) string {
	call, says := strings.CutSuffix(column, " says")
	text := func(o outcome) string { return o.text }
	if says {
		text = outcome.message
	}
	var all []outcome
	var differing []string
	for _, typ := range types {
		virtual := observe(t, typ, term, call)
		all = append(all, virtual...)
		if term.process || term.virtual != "" {
			continue
		}
		if got := differsOverTCP(t, typ, term, call, texts(virtual, text), text); got != "" {
			differing = append(differing, got)
		}
	}
	result := distinct(all, text)
	if len(differing) > 0 {
		result += "; over TCP " + strings.Join(slices.Compact(differing), " or ")
	}
	return result
}

// differsOverTCP returns what a call returned over TCP, if that is not among
// the texts. It waits longer before it believes a difference.
func differsOverTCP(t *testing.T, typ rpcType, term termination, call string, texts []string, text func(outcome) string) string {
	var got string
	for while := 2 * time.Millisecond; while <= 2*time.Second; while *= 10 {
		if got = text(observeTCP(t, while, typ, term, call)); slices.Contains(texts, got) {
			return ""
		}
	}
	return got
}

// textOf returns the different texts of outcomes, joined with "or".
func textOf(outcomes []outcome) string {
	return distinct(outcomes, func(o outcome) string { return o.text })
}

func distinct(outcomes []outcome, text func(outcome) string) string {
	return strings.Join(texts(outcomes, text), " or ")
}

// texts returns the different texts of outcomes. A call that could not be
// made counts only if no call could.
func texts(outcomes []outcome, text func(outcome) string) []string {
	seen := map[string]bool{}
	for _, o := range outcomes {
		seen[text(o)] = true
	}
	if len(seen) > 1 {
		delete(seen, none)
	}
	return slices.Sorted(maps.Keys(seen))
}
