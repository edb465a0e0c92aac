package errortexts

import (
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// bubble returns a producer that runs f in a bubble.
func bubble(f func(*testing.T) error) func(*testing.T) string {
	return func(t *testing.T) (text string) {
		synctest.Test(t, func(t *testing.T) { text = f(t).Error() })
		return text
	}
}

// counting returns a producer of the error with which a Count ends whose
// handler is handle.
func counting(handle func(grpc.ServerStreamingServer[pitfallsv1.Number]) error) func(*testing.T) string {
	return bubble(func(t *testing.T) error {
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
				return handle(stream)
			},
		})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		if err != nil {
			return err
		}
		_, err = service.Values(stream)
		return err
	})
}
