package errorcontract

// An afterwards is a moment in the life of a stream, the calls that make
// sense after it, and some that do not.
type afterwards struct {
	rpcType
	termination // its function end leads to the moment
	may, not    []string
}

var moments = []afterwards{
	{bidi, termination{name: "`CloseSend`", end: halfClose},
		[]string{"Recv", "Header"}, []string{"Send"}},
	{bidi, termination{name: "`Send` returned io.EOF", end: func(f *fixture) error {
		f.must(handlerDoes(sendLastThenNotFound)(f))
		f.settle()
		return f.client.send(small)
	}}, []string{"Recv"}, []string{"Send"}},
	{bidi, termination{name: "`Send` returned another error, here Internal", end: func(f *fixture) error { return f.client.SendMsg(notUTF8) }},
		[]string{"Recv"}, []string{"Send"}},
	{bidi, termination{name: "`Recv` returned io.EOF", end: func(f *fixture) error {
		f.must(handlerDoes(sendLast)(f))
		return recvUntilError(f.client).err
	}}, []string{"Trailer", "Header"}, []string{"Send", "Recv"}},
	{bidi, termination{name: "`Recv` returned another error", end: func(f *fixture) error {
		f.must(handlerDoes(returnNotFound)(f))
		return recvUntilError(f.client).err
	}}, []string{"Trailer", "Header"}, []string{"Send", "Recv"}},
	{clientStream, termination{name: "`CloseAndRecv`", end: func(f *fixture) error {
		f.acts <- sendLast
		f.must(f.client.recv())
		return nil
	}}, []string{"Trailer", "Header"}, []string{"Send", "CloseAndRecv"}},
	{bidi, termination{name: "the client canceled", end: func(f *fixture) error {
		f.must(f.handler.send(small))
		f.settle()
		return cancel(f)
	}},
		[]string{"Recv"}, []string{"Send"}},
	{bidi, termination{name: "the handler's `Recv` returned io.EOF", end: func(f *fixture) error {
		f.must(f.client.CloseSend())
		return f.handler.recv()
	}}, []string{"handler Send", "handler Context"}, []string{"handler Recv"}},
	{bidi, termination{name: "the handler's `Recv` or `Send` returned Canceled", end: func(f *fixture) error {
		f.must(cancel(f))
		return f.handler.recv()
	}}, []string{"handler Context"}, []string{"handler Send", "handler Recv"}},
	{bidi, termination{name: "the handler returned", end: handlerDoes(returns(nil))},
		[]string{"handler Context"}, []string{"handler Send", "handler Recv", "handler SetHeader"}},
}

func cancel(f *fixture) error {
	f.cancel()
	return nil
}

func halfClose(f *fixture) error {
	f.must(f.client.CloseSend())
	f.acts <- sendLast
	return nil
}
