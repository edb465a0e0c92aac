// Package grader grades the exercise of chapter 04.
package grader

import (
	"context"

	"google.golang.org/grpc"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
	"example.com/streams/internal/grade"
)

// Run is what the server gets to run commands with.
type Run = func(ctx context.Context, command string, print func(line string) error) error

type (
	newServer = func(Run) consolev1.ConsoleServiceServer
	attached  = grpc.BidiStreamingServer[consolev1.Input, consolev1.Output]
)

// Exercise returns the checks of a server.
func Exercise(server newServer) grade.Exercise {
	return grade.Exercise{Name: "04-bidi", Checks: []grade.Check{
		{
			Says:   "Attach runs a command, and sends each line when the command prints it, and then the end.",
			Reread: "The smallest one", Hint: "A line or an end is missing, or comes too late",
			Run: func(t *grade.T) { lines(t, server) },
		},
		{
			Says:   "a command that fails ends with its code, and the stream goes on.",
			Reread: "The smallest one", Hint: "A command that fails ends the stream",
			Run: func(t *grade.T) { fails(t, server) },
		},
		{
			Says:   "an interrupt cancels the command that runs, and nothing else.",
			Reread: "Who calls what, and who ends whom", Hint: "An interrupt has no effect, or too much",
			Run: func(t *grade.T) { interrupted(t, server) },
		},
		{
			Says:   "commands that arrive while one runs wait, and run in order, one at a time.",
			Reread: "Who calls what, and who ends whom", Hint: "Commands that wait are lost, or block the interrupt",
			Run: func(t *grade.T) { inOrder(t, server) },
		},
		{
			Says:   "after the half-close, the commands that wait still run, and then the RPC ends with OK.",
			Reread: "An orderly end", Hint: "The RPC ends too early, or never",
			Run: func(t *grade.T) { halfClosed(t, server) },
		},
		{
			Says:   "a client that goes away cancels the command that runs, and those that wait do not run.",
			Reread: "Who calls what, and who ends whom", Hint: "A command runs on without its client",
			Run: func(t *grade.T) { gone(t, server) },
		},
		{
			Says:   "8 commands may wait; one more ends the RPC with ResourceExhausted.",
			Reread: "Nobody waits for the slowest", Hint: "The queue has another limit, or none",
			Run: func(t *grade.T) { full(t, server) },
		},
		{
			Says:   "an interrupt arrives although the client does not read.",
			Reread: "Send everything, then read", Hint: "An interrupt waits for a client that does not read",
			Run: func(t *grade.T) { unread(t, server) },
		},
		{
			Says:   "a command that is interrupted ends when Run returns, with what Run returns.",
			Reread: "Who calls what, and who ends whom", Hint: "An interrupt has no effect, or too much",
			Run: func(t *grade.T) { itsOwnEnd(t, server) },
		},
	}}
}
