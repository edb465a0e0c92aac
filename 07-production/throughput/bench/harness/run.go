package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Options say how long to measure.
type Options struct {
	// Rounds is the number of samples of each contender.
	Rounds int
	// Sample is how long a sample should take, if the comparison leaves its
	// size open.
	Sample time.Duration
	// Quiet is how long to wait at most, before each sample, for a machine
	// that little else uses. 0: do not wait.
	Quiet time.Duration
	// Retries is how often at most a sample is repeated because other
	// processes used the machine. A sample that is still disturbed then counts all the same.
	Retries int
	// Short does as little work as a check of correctness needs, in one
	// round.
	Short bool
	// Progress, if not nil, is called before each round.
	Progress func(round int)
}

// A sample may take this long.
const (
	limit      = 3 * time.Minute
	shortLimit = 30 * time.Second
)

// A Result is what a comparison has measured.
type Result struct {
	Comparison Comparison
	CPUs       int        // that Go uses
	Samples    [][]Sample // of each contender, by round
	Repeated   int        // repetitions of samples
	Disturbed  int        // samples that count although they were disturbed
}

// Measure runs all contenders of a comparison in turns. It returns an error
// if a contender fails, as it must when ctx ends.
func Measure(ctx context.Context, c Comparison, o Options) (*Result, error) {
	if o.Short {
		o = Options{Rounds: 1, Short: true, Progress: o.Progress}
	}
	m := &measurement{comparison: c, options: o, guard: newGuard()}
	result := &Result{Comparison: c, CPUs: runtime.GOMAXPROCS(0), Samples: make([][]Sample, len(c.Contenders))}
	sizes := make([]int, len(c.Contenders))
	for i, contender := range c.Contenders {
		n, err := m.size(ctx, contender)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.Name, contender.Name, err)
		}
		sizes[i] = n
	}
	for round := range o.Rounds {
		if o.Progress != nil {
			o.Progress(round + 1)
		}
		for _, i := range order(round, len(c.Contenders)) {
			s, err := m.quietSample(ctx, c.Contenders[i], sizes[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.Name, c.Contenders[i].Name, err)
			}
			result.Samples[i] = append(result.Samples[i], s)
		}
	}
	addRatios(result.Samples, c.Unit)
	result.Repeated, result.Disturbed = m.repeated, m.disturbed
	return result, nil
}

type measurement struct {
	comparison          Comparison
	options             Options
	guard               *guard
	repeated, disturbed int
}

// size returns the number of operations of a sample. If the comparison
// leaves it open, size tries larger numbers until one takes a quarter of the
// time that a sample should take.
func (m *measurement) size(ctx context.Context, c Contender) (int, error) {
	switch {
	case m.options.Short:
		return m.comparison.ShortN, nil
	case m.comparison.N > 0:
		return m.comparison.N, nil
	}
	for n := 1; ; n *= 2 {
		s, _, err := m.sample(ctx, c, n)
		if err != nil {
			return 0, err
		}
		took := time.Duration(s.Value(nsPerOp) * float64(n))
		if took > m.options.Sample/4 || n > 1<<30 {
			return max(1, int(float64(n)*float64(m.options.Sample)/float64(took))), nil
		}
	}
}

// quietSample repeats a sample during which other processes used the
// machine.
func (m *measurement) quietSample(ctx context.Context, c Contender, n int) (Sample, error) {
	for try := 0; ; try++ {
		if err := m.guard.waitQuiet(ctx, m.options.Quiet); err != nil {
			return Sample{}, err
		}
		s, foreign, err := m.sample(ctx, c, n)
		if err != nil || foreign < maxForeign || m.options.Short {
			return s, err
		}
		if try >= m.options.Retries {
			m.disturbed++
			return s, nil
		}
		m.repeated++
	}
}

const nsPerOp = "ns/op"

// sample starts a contender, lets it do a tenth of the work to warm up, and
// measures the work. foreign is the share of the machine that other
// processes used.
func (m *measurement) sample(ctx context.Context, c Contender, n int) (s Sample, foreign float64, err error) {
	limit := limit
	if m.options.Short {
		limit = shortLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the sample took more than %v", limit))
	defer cancel()
	r := &Run{Context: ctx, Short: m.options.Short}
	defer func() {
		err = errors.Join(err, r.close())
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = errors.Join(err, cause)
		}
	}()
	do, err := c.Start(r)
	if err != nil {
		return s, 0, err
	}
	if _, err := do(max(1, n/10)); err != nil {
		return s, 0, err
	}
	runtime.GC()
	before, err := r.snapshot(m.guard)
	if err != nil {
		return s, 0, err
	}
	start := time.Now()
	own, err := do(n)
	wall := time.Since(start)
	if err != nil {
		return s, 0, err
	}
	after, err := r.snapshot(m.guard)
	if err != nil {
		return s, 0, err
	}
	s = Sample{N: n, Metrics: append(own, m.metrics(n, wall, before, after, len(r.servers) > 0)...)}
	return s, m.guard.foreign(wall, after.busy-before.busy, after.cpu-before.cpu), nil
}

// metrics are those that the harness adds to those of the contender.
func (m *measurement) metrics(n int, wall time.Duration, before, after snapshot, hasServer bool) []Metric {
	perOp := func(v float64) float64 { return v / float64(n) }
	ns := perOp(float64(wall))
	var metrics []Metric
	if m.comparison.Unit == nsPerOp {
		metrics = append(metrics, Metric{nsPerOp, ns})
		if m.comparison.Bytes > 0 {
			metrics = append(metrics, Metric{"MB/s", float64(m.comparison.Bytes) / ns * 1e3})
		}
	}
	metrics = append(metrics, Metric{"cpu-ns/op", perOp(float64(after.cpu - before.cpu))})
	if hasServer {
		return append(metrics, Metric{"server-cpu-ns/op", perOp(float64(after.serverCPU - before.serverCPU))})
	}
	return append(metrics,
		Metric{"B/op", perOp(float64(after.allocated - before.allocated))},
		Metric{"allocs/op", perOp(float64(after.allocations - before.allocations))})
}

// A snapshot is what has been used up to a moment.
type snapshot struct {
	busy, cpu, serverCPU   time.Duration // cpu includes serverCPU
	allocated, allocations uint64
}

func (r *Run) snapshot(g *guard) (snapshot, error) {
	var s snapshot
	for _, p := range r.servers {
		u, err := p.Usage(false)
		if err != nil {
			return s, err
		}
		s.serverCPU += u.CPU
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.allocated, s.allocations = m.TotalAlloc, m.Mallocs
	s.busy, _ = g.busy()
	s.cpu = cpuTime() + s.serverCPU
	return s, nil
}
