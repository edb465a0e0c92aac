package noreconnect

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "no-reconnect",
	Symptom: "the server is back, and a stream gets its old error for ever",
	Fix:     "after an error from Recv, open a new stream",
	Broken:  play.Side{Server: ticking, Alone: true, Run: run(BrokenFollow)},
	Fixed:   play.Side{Server: ticking, Alone: true, Run: run(FixedFollow)},
}

// pause waits before a new attempt, or until ctx is done.
func pause(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type follow = func(context.Context, pitfallsv1.PitfallServiceClient, func(int64)) error

func run(code follow) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		next := embedded.Serve(func(r grpc.ServiceRegistrar) {
			pitfallsv1.RegisterPitfallServiceServer(r, ticking)
		})
		defer next.Stop()
		r := restart{before: s.Server, after: next}
		conn, err := s.Server.NewClient(grpc.WithContextDialer(r.DialContext))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		time.AfterFunc(time.Second/4, r.Restart)
		var before, after int
		_ = code(ctx, pitfallsv1.NewPitfallServiceClient(conn), func(int64) {
			if r.restarted.Load() {
				after++
			} else {
				before++
			}
		})
		return fmt.Sprintf("%d numbers before the restart, %d after it", before, after), nil
	}
}

// A restart is a server that is replaced by another.
type restart struct {
	before, after *embedded.Server
	restarted     atomic.Bool
}

// Restart ends the first server with all its connections.
func (r *restart) Restart() {
	r.restarted.Store(true)
	r.before.Stop()
}

// DialContext connects to the server of the day.
func (r *restart) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	if r.restarted.Load() {
		return r.after.DialContext(ctx, addr)
	}
	return r.before.DialContext(ctx, addr)
}

// ticking is a service whose Count sends ten numbers a second.
var ticking = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := int64(1); stream.Context().Err() == nil; i++ {
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return stream.Context().Err()
}}
