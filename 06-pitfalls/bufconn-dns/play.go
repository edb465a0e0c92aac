package bufconndns

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "bufconn-dns",
	Symptom: "a test with bufconn fails: produced zero addresses",
	Fix:     "give NewClient the target passthrough:///name",
	Broken:  play.Side{Alone: true, Run: run(BrokenDial)},
	Fixed:   play.Side{Alone: true, Run: run(FixedDial)},
}

type dialer = func(context.Context, string) (net.Conn, error)

func run(code func(dialer, ...grpc.DialOption) (*grpc.ClientConn, error)) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		conn, err := code(s.Server.DialContext, grpc.WithResolvers(emptyDNS{}))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Count(ctx, &pitfallsv1.CountRequest{To: 3})
		if err != nil {
			return nil, err
		}
		return service.Values(stream)
	}
}

// emptyDNS takes the place of DNS, so that no play depends on a network. It
// reports what the real one does for a name that does not exist: no address.
type emptyDNS struct{}

func (emptyDNS) Scheme() string { return "dns" }

func (emptyDNS) Build(
	_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	_ = cc.UpdateState(resolver.State{}) // the error says so again
	return emptyDNS{}, nil
}

func (emptyDNS) ResolveNow(resolver.ResolveNowOptions) {}
func (emptyDNS) Close()                                {}
