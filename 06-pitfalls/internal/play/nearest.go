package play

// Find returns the pitfall of that name. If there is none, it returns the
// one whose name is nearest, and false.
func Find(pitfalls []Pitfall, name string) (nearest Pitfall, found bool) {
	least := -1
	for _, p := range pitfalls {
		if d := distance(p.Name, name); least < 0 || d < least {
			nearest, least = p, d
		}
	}
	return nearest, least == 0
}

// distance counts the bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from a[:i] to each b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
