package deadpeer

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "dead-peer",
	Symptom: "a cable is pulled, and for hours neither side learns of it",
	Fix:     "turn keepalive on, on each side that must know",
	Broken:  play.Side{ServerOptions: BrokenServerOptions(time.Second), Run: run},
	Fixed:   play.Side{ServerOptions: FixedServerOptions(time.Second), Run: run},
}

// run pulls the cable of a client and returns when the server knows.
func run(ctx context.Context, s *play.Stage) (any, error) {
	cable := &cable{dial: s.Server.DialContext}
	conn, err := s.Server.NewClient(grpc.WithContextDialer(cable.Dial))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := openEcho(ctx, pitfallsv1.NewPitfallServiceClient(conn)); err != nil {
		return nil, err
	}
	cable.Pull()
	start := time.Now()
	for {
		pong, err := s.Client.Ping(ctx, &pitfallsv1.PingRequest{})
		if err != nil {
			return nil, err
		}
		if pong.GetOpenStreams() == 0 {
			took := time.Since(start).Round(100 * time.Millisecond)
			return fmt.Sprintf("the server knows after %v", took), nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// openEcho returns a stream that has carried a number each way.
func openEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient) (echo, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pitfallsv1.Number{}); err != nil {
		return nil, err
	}
	_, err = stream.Recv()
	return stream, err
}

type echo = grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number]
