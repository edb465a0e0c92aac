package exercise

import (
	"testing"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
	"example.com/streams/04-bidi/exercise/grader"
)

func TestExercise(t *testing.T) {
	grader.Exercise(func(run grader.Run) consolev1.ConsoleServiceServer {
		return &Server{Run: run}
	}).Run(t)
}
