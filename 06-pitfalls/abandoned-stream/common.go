package abandonedstream

// three reports whether v is the number that tests and demo look for.
func three(v int64) bool { return v == 3 }
