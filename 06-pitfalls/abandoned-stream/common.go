package abandonedstream

func three(v int64) bool { return v == 3 }
