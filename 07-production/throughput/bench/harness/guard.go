package harness

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// maxForeign is the share of all CPUs that other processes may use during a
// sample. A sample with more is repeated.
const maxForeign = 0.12

// A guard knows what other processes do. Without /proc, as on macOS, it
// knows nothing and permits everything.
type guard struct {
	busy func() (time.Duration, bool) // of all CPUs since the start of the machine
	cpus int
}

func newGuard() *guard { return &guard{busy: readBusy, cpus: runtime.NumCPU()} }

// foreign returns the share of all CPUs that other processes used in a time,
// in which all processes were busy for one time, and our own for another one.
func (g *guard) foreign(wall, busy, own time.Duration) float64 {
	return max(0, float64(busy-own)/(float64(wall)*float64(g.cpus)))
}

// waitQuiet waits until other processes use little of the machine, at most
// for the limit.
func (g *guard) waitQuiet(ctx context.Context, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		start := time.Now()
		before, ok := g.busy()
		if !ok {
			return nil
		}
		select {
		case <-time.After(150 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		after, _ := g.busy()
		if g.foreign(time.Since(start), after-before, 0) < maxForeign {
			return nil
		}
	}
	return nil
}

// readBusy reads the time for which the CPUs of the machine have worked.
func readBusy() (time.Duration, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	busy, err := parseBusy(string(text))
	return busy, err == nil
}

// parseBusy adds the columns of the first line of /proc/stat, in hundredths
// of a second, except those of idle CPUs.
func parseBusy(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat: must begin with cpu and 8 numbers, got %q", line)
	}
	var ticks int64
	for column, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if column != 3 && column != 4 { // idle, and idle while a disk works
			ticks += n
		}
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}
