package solution

import (
	"testing"

	"example.com/streams/03-client-stream/exercise/grader"
	sensorsv1 "example.com/streams/03-client-stream/exercise/sensors/v1"
)

func TestSolution(t *testing.T) {
	grader.Exercise(func(store func(*sensorsv1.Summary)) sensorsv1.SensorServiceServer {
		return &Server{Store: store}
	}, Send).Run(t)
}
