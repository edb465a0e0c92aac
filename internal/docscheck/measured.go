package docscheck

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// measuredLink is a number that links to the file it was taken from, such as
// [4.8](testdata/bench.txt "Log/stream ratio").
var measuredLink = regexp.MustCompile(`\[([^][]*)\]\(([^()\s]+\.txt) "([^"]+)"\)`)

// checkMeasured checks that a number is the one in the file that it links to.
func (r *repository) checkMeasured(p *page, l *link) {
	if l.title == "" {
		return
	}
	want, err := r.measured(p, l.text, l.target, l.title)
	switch {
	case err != nil:
		p.problem(l.line, "%q: %v", l.title, err)
	case want != l.text:
		p.problem(l.line, "%q is %s, not %s; %s", l.title, want, l.text, runUpdate)
	}
}

// updateMeasured returns the text of a page with the numbers of the files.
func (r *repository) updateMeasured(p *page, text string) string {
	return measuredLink.ReplaceAllStringFunc(text, func(s string) string {
		m := measuredLink.FindStringSubmatch(s)
		want, err := r.measured(p, m[1], m[2], m[3])
		if err != nil {
			return s
		}
		return "[" + want + strings.TrimPrefix(s, "["+m[1])
	})
}

// measured returns the number that the title names, with as many decimals as
// the text has. The title is a benchmark and a unit; a second one, or a
// number, may divide it:
//
//	Log/stream ratio
//	Log/stream p50-ns / 1000
//	Log/loop ns/op / Log/stream ns/op
func (r *repository) measured(p *page, text, target, title string) (string, error) {
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return "", fmt.Errorf("the text of the link must be a number, got %q", text)
	}
	lines, err := r.lines(path.Join(path.Dir(p.name), target))
	if err != nil {
		return "", err
	}
	first, second, divides := strings.Cut(title, " / ")
	values, err := operand(lines, first)
	if err != nil {
		return "", err
	}
	divisors := []float64{1}
	if divides {
		if divisors, err = operand(lines, second); err != nil {
			return "", err
		}
	}
	if len(divisors) != 1 && len(divisors) != len(values) {
		return "", errors.New("both benchmarks must have as many lines")
	}
	for i := range values {
		values[i] /= divisors[min(i, len(divisors)-1)]
	}
	_, decimals, _ := strings.Cut(text, ".")
	return strconv.FormatFloat(middle(values), 'f', len(decimals), 64), nil
}

// operand returns the values of a benchmark in a unit, one for each line, or
// a number.
func operand(lines []string, text string) ([]float64, error) {
	if number, err := strconv.ParseFloat(text, 64); err == nil && number != 0 {
		return []float64{number}, nil
	}
	name, unit, _ := strings.Cut(text, " ")
	var values []float64
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 4 || !isBenchmark(fields[0], name) {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil && fields[i+1] == unit {
				values = append(values, value)
			}
		}
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("no line there begins with Benchmark%s and has a value in %s", name, cmp.Or(unit, "a unit"))
	}
	return values, nil
}

var cpus = regexp.MustCompile(`-\d+$`)

// isBenchmark reports whether the first field of a line is the benchmark
// name, to which package testing adds the number of CPUs.
func isBenchmark(field, name string) bool {
	return cpus.ReplaceAllString(field, "") == "Benchmark"+name
}

// middle returns the median.
func middle(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2
	}
	return values[half]
}
