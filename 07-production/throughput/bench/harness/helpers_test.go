package harness

import "errors"

var errFake = errors.New("the contender failed")

// fake returns a contender whose Do reports one metric, and appends its name
// to the turns.
func fake(name string, value float64, turns *[]string) Contender {
	return Contender{Name: name, Start: func(r *Run) (Do, error) {
		r.Defer(func() error { *turns = append(*turns, "end "+name); return nil })
		return func(int) ([]Metric, error) {
			*turns = append(*turns, name)
			return []Metric{{"steps", value}}, nil
		}, nil
	}}
}

// samplesOf returns samples with one metric, one for each round.
func samplesOf(unit string, values ...float64) (samples []Sample) {
	for _, v := range values {
		samples = append(samples, Sample{N: 1, Metrics: []Metric{{unit, v}}})
	}
	return samples
}
