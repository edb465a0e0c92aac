package slowsubscriber

import pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"

// A member is a subscriber of a [FixedHub].
type member struct {
	queue   chan *pitfallsv1.Number
	dropped chan struct{} // closed if the queue was full
}

// sendAll sends the numbers of the queue until the call ends, which is also
// when the handler returns.
func (m *member) sendAll(stream subscriber) error {
	for {
		select {
		case n := <-m.queue:
			if err := stream.Send(n); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
