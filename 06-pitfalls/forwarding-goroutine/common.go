package forwardinggoroutine

// An item is a number, or the error that ended the numbers.
type item struct {
	value int64
	err   error
}
