package solution

import (
	"testing"

	"example.com/streams/01-unary/exercise/grader"
	"example.com/streams/01-unary/exercise/journal"
	journalv1 "example.com/streams/01-unary/exercise/journal/v1"
)

func TestSolution(t *testing.T) {
	grader.Exercise(func(j *journal.Journal) journalv1.JournalServiceServer {
		return &Server{Journal: j}
	}, Follow).Run(t)
}
