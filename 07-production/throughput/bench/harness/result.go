package harness

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Setting is a line at the top of a result file.
type Setting struct{ Key, Value string }

// peers are the modules whose versions a result file names.
var peers = []string{
	"google.golang.org/grpc", "google.golang.org/protobuf", "connectrpc.com/connect",
	"storj.io/drpc", "github.com/coder/websocket", "github.com/gorilla/websocket",
}

// Settings returns the machine, the date, the versions and the command of a
// run that begins now.
func Settings(now time.Time, command string) []Setting {
	all := []Setting{
		{"date", now.Format(time.DateOnly)},
		{"command", command},
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"cpu", cpuModel()},
		{"cpus", fmt.Sprint(runtime.GOMAXPROCS(0))},
		{"go", runtime.Version()},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return all
	}
	for _, module := range info.Deps {
		if slices.Contains(peers, module.Path) {
			all = append(all, Setting{module.Path, module.Version})
		}
	}
	return all
}

// cpuModel returns the name of the CPU, as Linux knows it.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}

// Text returns a result in the format of Go's benchmarks, which benchstat
// reads: settings, a table for people, which benchstat skips, and a line for
// each sample.
func (r *Result) Text(settings []Setting) string {
	b := new(strings.Builder)
	for _, s := range settings {
		fmt.Fprintf(b, "%s: %s\n", s.Key, s.Value)
	}
	c := r.Comparison
	rounds := len(r.Samples[0])
	fmt.Fprintf(b, "op: %s\nrounds: %d\nrepeated-samples: %d\ndisturbed-samples: %d of %d\n\n",
		c.Op, rounds, r.Repeated, r.Disturbed, rounds*len(r.Samples))
	r.writeTable(b)
	fmt.Fprintf(b, "\npkg: %s\n", pkg)
	for i, contender := range c.Contenders {
		for _, s := range r.Samples[i] {
			fmt.Fprintf(b, "Benchmark%s-%d\t%d", benchmarkName(c.Name, contender.Name), r.CPUs, s.N)
			for _, m := range s.Metrics {
				fmt.Fprintf(b, "\t%s %s", digits(m.Value), m.Unit)
			}
			fmt.Fprintln(b)
		}
	}
	return b.String()
}

const pkg = "example.com/streams/07-production/throughput/bench"

// writeTable writes the medians and ranges of what is compared, and of the
// ratios to the first contender.
func (r *Result) writeTable(b *strings.Builder) {
	c := r.Comparison
	rows := [][3]string{{"contender", c.Unit + " [min..max]", r.comparative()}}
	for i, contender := range c.Contenders {
		rows = append(rows, [3]string{contender.Name, r.Spread(i, c.Unit).String(), r.Spread(i, "ratio").String()})
	}
	var widths [2]int
	for _, row := range rows {
		widths[0], widths[1] = max(widths[0], len(row[0])), max(widths[1], len(row[1]))
	}
	for _, row := range rows {
		fmt.Fprintf(b, "%-*s  %-*s  %s\n", widths[0], row[0], widths[1], row[1], row[2])
	}
}

// comparative says what a ratio means.
func (r *Result) comparative() string {
	word := "good"
	if r.Comparison.Unit == nsPerOp {
		word = "fast"
	}
	return "times as " + word + " as " + r.Comparison.Contenders[0].Name
}

// Spread returns the spread of a metric over the rounds of one contender.
func (r *Result) Spread(contender int, unit string) Spread {
	var values []float64
	for _, s := range r.Samples[contender] {
		values = append(values, s.Value(unit))
	}
	return spread(values)
}

// benchmarkName returns a name as benchstat reads it, such as
// Message-16B/unary. The first letter must be upper case.
func benchmarkName(comparison, contender string) string {
	first := []rune(comparison)
	first[0] = unicode.ToUpper(first[0])
	return string(first) + "/" + strings.ReplaceAll(contender, " ", "_")
}
