package play

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet/embedded"
	"example.com/streams/internal/client"
)

// A Stage is the two ends that a Side plays with.
type Stage struct {
	Client pitfallsv1.PitfallServiceClient
	Conn   *grpc.ClientConn
	Server *embedded.Server // nil if the server is in another process

	// watch is a second connection, so that asking how the server is
	// neither shows among the frames nor suffers from the play.
	watch *grpc.ClientConn
}

// enter returns the stage for a side. Leave it.
func (p *Player) enter(ctx context.Context, which, name string, side *Side) (*Stage, error) {
	if p.Target.Addr == "" || side.alone() {
		return p.embed(side)
	}
	authority := grpc.WithAuthority(host(which, name))
	conn, err := p.Target.Dial(authority)
	if err != nil {
		return nil, err
	}
	untapped := client.Target{Addr: p.Target.Addr}
	watch, err := untapped.Dial(authority)
	if err != nil {
		return nil, err
	}
	s := &Stage{Client: pitfallsv1.NewPitfallServiceClient(conn), Conn: conn, watch: watch}
	if _, err := s.ping(ctx); err != nil {
		s.leave()
		return nil, fmt.Errorf("-addr %s: %w", p.Target.Addr, err)
	}
	return s, nil
}

func (p *Player) embed(side *Side) (*Stage, error) {
	register := func(r grpc.ServiceRegistrar) {
		pitfallsv1.RegisterPitfallServiceServer(r, side.server())
	}
	// Some handlers never return, so nobody may wait for them.
	s := embedded.Serve(register, append(side.ServerOptions, grpc.WaitForHandlers(false))...)
	opts := []grpc.DialOption{p.Target.Dialer(s.DialContext)}
	conn, err := s.NewClient(append(opts, side.DialOptions...)...)
	if err != nil {
		return nil, err
	}
	watch, err := s.NewClient()
	if err != nil {
		return nil, err
	}
	return &Stage{Client: pitfallsv1.NewPitfallServiceClient(conn), Conn: conn, Server: s, watch: watch}, nil
}

func (s *Stage) leave() {
	_ = s.Conn.Close() // an error says that the play has closed it
	_ = s.watch.Close()
	if s.Server != nil {
		_ = s.Server.Close()
	}
}

// openStreams waits until no handler runs, or until a moment after the time
// has come, and returns how many run then: none if the server is gone.
func (s *Stage) openStreams(ctx context.Context, until time.Time) int64 {
	if soon := time.Now().Add(grace); soon.After(until) {
		until = soon
	}
	for {
		open, err := s.ping(ctx)
		if err != nil || open == 0 || !time.Now().Before(until) {
			return open
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *Stage) ping(ctx context.Context) (open int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	pong, err := pitfallsv1.NewPitfallServiceClient(s.watch).Ping(ctx, &pitfallsv1.PingRequest{})
	return pong.GetOpenStreams(), err
}
