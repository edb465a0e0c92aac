// Package balancing distributes long streams over several servers, and lets
// them move when the servers change.
package balancing

import (
	_ "google.golang.org/grpc/balancer/leastrequest" // registers least_request_experimental
	_ "google.golang.org/grpc/health"                // the client's half of healthCheckConfig
)

// Service configs for [google.golang.org/grpc.WithDefaultServiceConfig]. Each
// names the policy that chooses the server of a new stream.
const (
	// PickFirst is the default of gRPC: one connection, to the first
	// address that accepts one.
	PickFirst = `{"loadBalancingConfig": [{"pick_first": {}}]}`

	// Shuffled is one connection too. Each client puts the addresses in
	// an order of its own.
	Shuffled = `{"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": true}}]}`

	// RoundRobin connects to every address, and takes the connections in
	// turn.
	RoundRobin = `{"loadBalancingConfig": [{"round_robin": {}}]}`

	// LeastRequest connects to every address, draws a connection at random
	// ten times, which is the most, and takes the drawn one on which this
	// client has the fewest streams.
	LeastRequest = `{"loadBalancingConfig": [{"least_request_experimental": {"choiceCount": 10}}]}`

	// HealthyRoundRobin is RoundRobin among the servers whose health, for
	// the service "", is SERVING, or that offer no health.
	HealthyRoundRobin = `{"loadBalancingConfig": [{"round_robin": {}}],
		"healthCheckConfig": {"serviceName": ""}}`
)
