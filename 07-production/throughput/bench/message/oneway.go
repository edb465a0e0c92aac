package message

import (
	"errors"
	"io"

	"example.com/streams/07-production/throughput/bench/harness"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// serverStream receives all messages from one call.
func (w work) serverStream(r *harness.Run) (harness.Do, error) {
	client, err := w.client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		stream, err := client.Download(r.Context, &benchv1.DownloadRequest{Count: int64(n), Size: int64(w.size)})
		if err != nil {
			return nil, err
		}
		var count, bytes int64
		for {
			p, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil, w.check("download", count, bytes, n)
			}
			if err != nil {
				return nil, err
			}
			count++
			bytes += int64(len(p.GetData()))
		}
	}, nil
}

// clientStream sends all messages in one call.
func (w work) clientStream(r *harness.Run) (harness.Do, error) {
	client, err := w.client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		stream, err := client.Upload(r.Context)
		if err != nil {
			return nil, err
		}
		p := w.payload()
		for range n {
			if err := stream.Send(p); err != nil {
				break // CloseAndRecv returns the status
			}
		}
		receipt, err := stream.CloseAndRecv()
		if err != nil {
			return nil, err
		}
		return nil, w.check("upload", receipt.GetCount(), receipt.GetBytes(), n)
	}, nil
}
