package messagereuse

import pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"

func values(numbers []*pitfallsv1.Number) []int64 {
	var vs []int64
	for _, n := range numbers {
		vs = append(vs, n.GetValue())
	}
	return vs
}
