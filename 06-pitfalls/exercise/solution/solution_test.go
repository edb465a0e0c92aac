package solution

import (
	"testing"

	"example.com/streams/06-pitfalls/exercise/grader"
)

func TestSolution(t *testing.T) {
	grader.Exercise(grader.Functions{
		Displays: Displays, Enter: Enter, Admit: Admit, Report: Report,
		Peak: Peak, Show: Show, Follow: Follow, Watch: Watch,
	}).Run(t)
}
