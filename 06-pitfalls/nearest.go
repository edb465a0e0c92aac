package pitfalls

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// A Near is a pitfall or a row of docs/errors.md that shares words with a
// question.
type Near struct {
	Text string // the symptom, or the text
	Page string // where to read on, or what to do
}

var word = regexp.MustCompile(`[a-z_]{3,}`)

// Nearest returns up to five pitfalls and rows of docs/errors.md that share
// words with a question, the nearest first. It looks at names, symptoms, texts
// and fixes of the catalog, and at all that the rows say. A word counts the
// more, the fewer of them begin a word with it.
func Nearest(all []Pitfall, question string) []Near {
	var entries []Near
	var texts []string
	add := func(e Near, text string) {
		entries = append(entries, e)
		texts = append(texts, " "+strings.Join(word.FindAllString(fold(text), -1), " "))
	}
	for _, p := range all {
		add(Near{p.Name + ": " + p.See, "06-pitfalls/" + p.Name + "/README.md"}, p.Name+" "+p.See+" "+p.Errors+" "+p.Fix)
	}
	for _, e := range errorTexts() {
		add(Near{e.Shows, e.Help}, e.Shows+" "+e.Who+" "+e.Help)
	}

	points := make(map[Near]float64)
	for _, w := range word.FindAllString(fold(question), -1) {
		var with []Near
		for i, text := range texts {
			if strings.Contains(text, " "+w) {
				with = append(with, entries[i])
			}
		}
		for _, e := range with {
			points[e] += 1 / float64(len(with))
		}
	}
	entries = slices.DeleteFunc(entries, func(e Near) bool { return points[e] == 0 })
	slices.SortStableFunc(entries, func(a, b Near) int { return cmp.Compare(points[b], points[a]) })
	return entries[:min(5, len(entries))]
}
