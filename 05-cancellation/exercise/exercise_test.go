package exercise

import (
	"testing"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
	"example.com/streams/05-cancellation/exercise/grader"
)

func TestExercise(t *testing.T) {
	grader.Exercise(func(upstream feedv1.FeedServiceClient) grader.Relay { return NewRelay(upstream) }).Run(t)
}
