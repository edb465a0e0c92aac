// Package follow compares ways to follow a log: for one follower, for many,
// and for many of which one does not read.
package follow

import "example.com/streams/07-production/throughput/bench/harness"

// Comparisons returns all comparisons of followers.
func Comparisons() []harness.Comparison {
	return []harness.Comparison{
		burst(100, 1000),
		burst(1000, 200),
		burst(5000, 30),
		burstTLS(),
		paced(),
		stalled(),
		stalledCost(),
		news(),
		idle(),
	}
}
