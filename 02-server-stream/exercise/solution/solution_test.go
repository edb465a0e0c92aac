package solution

import (
	"iter"
	"testing"

	"example.com/streams/02-server-stream/exercise/grader"
	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
)

func TestSolution(t *testing.T) {
	grader.Exercise(func(documents iter.Seq2[*searchv1.Document, error]) searchv1.SearchServiceServer {
		return &Server{Documents: documents}
	}, Find).Run(t)
}
