package message

import (
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/harness"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

type bidiClient = grpc.BidiStreamingClient[benchv1.Payload, benchv1.Payload]

// bidiPingPong waits for each message to come back before the next one.
func (w work) bidiPingPong(r *harness.Run) (harness.Do, error) {
	return w.bidi(r, func(stream bidiClient, n int) (count, bytes int64, err error) {
		p := w.payload()
		for range n {
			if err := stream.Send(p); err != nil {
				break // Recv returns the status
			}
			answer, err := stream.Recv()
			if err != nil {
				return count, bytes, err
			}
			count++
			bytes += int64(len(answer.GetData()))
		}
		return count, bytes, stream.CloseSend()
	})
}

// bidiEcho sends without waiting, while another goroutine receives.
func (w work) bidiEcho(r *harness.Run) (harness.Do, error) {
	return w.bidi(r, func(stream bidiClient, n int) (count, bytes int64, err error) {
		var group errgroup.Group
		group.Go(func() error {
			p := w.payload()
			for range n {
				if err := stream.Send(p); err != nil {
					break // Recv returns the status
				}
			}
			return stream.CloseSend()
		})
		for range n {
			answer, err := stream.Recv()
			if err != nil {
				return count, bytes, errors.Join(err, group.Wait())
			}
			count++
			bytes += int64(len(answer.GetData()))
		}
		return count, bytes, group.Wait()
	})
}

// bidi opens a stream for n messages, and expects its end after them.
func (w work) bidi(r *harness.Run, exchange func(bidiClient, int) (count, bytes int64, err error)) (harness.Do, error) {
	client, err := w.client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		stream, err := client.Echo(r.Context)
		if err != nil {
			return nil, err
		}
		count, bytes, err := exchange(stream, n)
		if err != nil {
			return nil, err
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			return nil, errors.Join(errors.New("echo: must end after the last message"), err)
		}
		return nil, w.check("echo", count, bytes, n)
	}, nil
}
