package demo

func TestAppendKeepsOrder(t *testing.T) {
	t.Run("one entry", nil)
}

func BenchmarkAppend(b *testing.B) {}

func ExampleLog() {
	fmt.Println("one")
	// Output:
	// one
	//
	// two
}

func ExampleLog_unordered() {
	// Unordered output:
	// b
	// a
}

func ExampleFollow() {}
