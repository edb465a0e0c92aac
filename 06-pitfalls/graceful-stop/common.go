package gracefulstop

import (
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// drain is how long open calls may take to finish.
const drain = 10 * time.Second

// A ticker is a service that knows how to stop its server.
type ticker interface {
	Count(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error
	Shutdown(*grpc.Server) error
}
