package pinnedbackend

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "pinned-backend",
	Symptom: "a new server gets calls, and none of the long streams",
	Fix:     "MaxConnectionAge needs MaxConnectionAgeGrace to move streams",
	Broken:  play.Side{Server: first, ServerOptions: BrokenServerOptions(time.Second / 2), Run: run},
	Fixed:   play.Side{Server: first, ServerOptions: FixedServerOptions(time.Second / 2), Run: run},
}

var first = backend(1, 100*time.Millisecond)

// run follows for 2.5 s, while a second server is there.
func run(ctx context.Context, s *play.Stage) (any, error) {
	second := embedded.Serve(func(r grpc.ServiceRegistrar) {
		pitfallsv1.RegisterPitfallServiceServer(r, backend(2, 100*time.Millisecond))
	})
	defer second.Stop()
	b := &balancer{first: s.Server, second: second}
	conn, err := s.Server.NewClient(grpc.WithContextDialer(b.DialContext))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second/2)
	defer cancel()
	from := map[int64]int{}
	err = follow(ctx, pitfallsv1.NewPitfallServiceClient(conn), func(backend int64) { from[backend]++ })
	if status.Code(err) != codes.DeadlineExceeded {
		return nil, err
	}
	return fmt.Sprintf("%d numbers from the first server, %d from the second", from[1], from[2]), nil
}

// backend returns a service whose Count sends the number of the server.
func backend(number int64, every time.Duration) *service.Server {
	return &service.Server{OnCount: func(
		_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	) error {
		for {
			if err := stream.Send(&pitfallsv1.Number{Value: number}); err != nil {
				return err
			}
			time.Sleep(every)
		}
	}}
}

// A balancer sends the first connection to the first server, and the others
// to the second, which has just been added.
type balancer struct {
	first, second *embedded.Server
	connections   atomic.Int64
}

func (b *balancer) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	if b.connections.Add(1) == 1 {
		return b.first.DialContext(ctx, addr)
	}
	return b.second.DialContext(ctx, addr)
}

// follow opens a new stream whenever one is cut off.
func follow(ctx context.Context, c pitfallsv1.PitfallServiceClient, handle func(int64)) error {
	for {
		stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
		for err == nil {
			var n *pitfallsv1.Number
			if n, err = stream.Recv(); err == nil {
				handle(n.GetValue())
			}
		}
		if status.Code(err) != codes.Unavailable {
			return err
		}
	}
}
