package forwardinggoroutine

// An item is a number, or the error that ended the stream.
type item struct {
	value int64
	err   error
}
