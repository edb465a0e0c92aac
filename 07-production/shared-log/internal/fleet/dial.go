// Package fleet runs the nodes of the engine and the servers of the log as
// processes, and connects to them.
package fleet

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"example.com/streams/07-production/balancing"
)

// Dial returns a connection to all servers, of which a stream takes a
// healthy one. In production, "dns:///name:port" finds their addresses. The
// caller closes the connection.
func Dial(addrs []string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	var state resolver.State
	for _, addr := range addrs {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: addr}}})
	}
	r := manual.NewBuilderWithScheme("fleet")
	r.InitialState(state)
	return grpc.NewClient("fleet:///log", append([]grpc.DialOption{
		grpc.WithResolvers(r),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(balancing.HealthyRoundRobin),
	}, opts...)...)
}
