// Package grader grades the exercise of chapter 06.
package grader

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/grade"
)

type (
	client  = pitfallsv1.PitfallServiceClient
	number  = pitfallsv1.Number
	numbers = grpc.ServerStreamingServer[number]
	groups  = grpc.BidiStreamingServer[number, number]
	report  = grpc.ClientStreamingServer[number, pitfallsv1.SumResponse]
)

// Functions are the functions of the exercise. They are called concurrently.
type Functions struct {
	Displays func(context.Context, func(context.Context) (int64, error)) (*pitfallsv1.PingResponse, error)
	Enter    func(context.Context, client, ...int64) ([]int64, error)
	Admit    func(groups, func(int64) int64) error
	Report   func(context.Context, client, iter.Seq[int64]) (int64, error)
	Peak     func(context.Context, client, int) (int64, error)
	Show     func(numbers, <-chan int64) error
	Follow   func(context.Context, client, chan<- int64) error
	Watch    func(stream numbers, pictures, alarms <-chan *number) error
}

// Exercise returns one check for each function.
func Exercise(f Functions) grade.Exercise {
	return grade.Exercise{Name: "06-pitfalls", Independent: true, Checks: []grade.Check{
		{
			Says:   "Displays fails with the code of count's error.",
			Reread: "The error is lost, or says something else", Hint: "Displays returns another code",
			Run: func(t *grade.T) { displays(t, f) },
		},
		{
			Says:   "Enter returns the answers, and the error with which the gate ends the call.",
			Reread: "Read these three first", Hint: "Enter does not return, or not what the gate says",
			Run: func(t *grade.T) { enter(t, f) },
		},
		{
			Says:   "Admit answers each group. It ends with OK after the last group, and with an error after a cancel.",
			Reread: "The error is lost, or says something else", Hint: "Admit ends in the wrong way",
			Run: func(t *grade.T) { admit(t, f) },
		},
		{
			Says:   "Report stops when the server refuses a number, and returns the status of the refusal.",
			Reread: "The error is lost, or says something else", Hint: "Report does not say why the server refused",
			Run: func(t *grade.T) { reports(t, f) },
		},
		{
			Says:   "Peak returns the highest of the next n numbers, and leaves nothing of the call.",
			Reread: "It leaks", Hint: "Something of Peak's call is left",
			Run: func(t *grade.T) { peak(t, f) },
		},
		{
			Says:   "Show sends each change, until changes is closed or the client has left.",
			Reread: "Read these three first", Hint: "Show goes on without its client, or ends before",
			Run: func(t *grade.T) { show(t, f) },
		},
		{
			Says:   "Follow passes each number on. It returns when the call ends, and when ctx ends.",
			Reread: "It leaks", Hint: "Follow does not return, or a number is missing",
			Run: func(t *grade.T) { follow(t, f) },
		},
		{
			Says:   "Watch sends each picture and each alarm, however slowly the guard reads.",
			Reread: "Read these three first", Hint: "A picture or an alarm of Watch does not arrive",
			Run: func(t *grade.T) { watch(t, f) },
		},
	}}
}
