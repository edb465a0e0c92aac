package bench_test

import (
	"fmt"
	"os"
	"testing"

	"example.com/streams/07-production/throughput/bench"
	"example.com/streams/07-production/throughput/bench/harness"
)

// TestMain is also the main of the servers that comparisons start.
func TestMain(m *testing.M) {
	served, err := harness.Serve(bench.StartServer)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if !served {
		os.Exit(m.Run())
	}
}
