// Package bench holds the list of all comparisons.
package bench

import (
	"fmt"
	"slices"

	"example.com/streams/07-production/throughput/bench/follow"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/message"
	"example.com/streams/07-production/throughput/bench/sensor"
	"example.com/streams/07-production/throughput/bench/upload"
)

// Comparisons returns all comparisons, in the order in which they run.
func Comparisons() []harness.Comparison {
	return slices.Concat(
		message.Comparisons(),
		sensor.Comparisons(),
		upload.Comparisons(),
		follow.Comparisons(),
	)
}

// StartServer starts the server of this name in this process, which has been
// started for it.
func StartServer(name string) (*harness.Server, error) {
	if s, known, err := follow.StartServer(name); known {
		return s, err
	}
	return nil, fmt.Errorf("server: must be a name that a comparison uses, got %q", name)
}
