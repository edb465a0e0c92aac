package other

func TestOther(t *testing.T) {}

func ExampleLog() {
	// Output: other
}
